"""What a shell offers when Tab is pressed: live IDs from the cluster, or nothing; in a second and without a word."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from esml_stop.models import Listing

# With the start of Python and of esml before it, this stays under a second.
LONGEST_WAIT = 0.75


def deployment_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the deployments that begin as typed; in a comma list its last part counts."""
    done, comma, begun = incomplete.rpartition(",")
    if "*" in begun:
        return []
    typed = {*(ctx.params.get("names") or ()), *done.split(",")}
    found = sorted(asked(ctx, begun).deployments, key=lambda one: one.deployment_id)
    return [
        CompletionItem(f"{done}{comma}{one.deployment_id}", help=f"{one.state}, model {one.model_id}")
        for one in found
        if one.deployment_id not in typed and is_offered(begun, one.deployment_id, one.model_id)
    ]


def model_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the models with deployments that begin as typed."""
    models = {one.model_id for one in asked(ctx, incomplete).deployments}
    return [CompletionItem(model) for model in sorted(models) if is_offered(incomplete, model)]


def saved_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the deployments in the save file that begin as typed; nothing when it cannot be read."""
    from esml_stop.errors import EsmlError
    from esml_stop.savefile.file import read

    typed = ctx.params.get("names") or ()
    try:
        found = read(str(ctx.params.get("file"))).deployments
    except EsmlError:
        return []
    return [
        CompletionItem(one.deployment_id, help=f"model {one.model_id}")
        for one in found
        if one.deployment_id not in typed and is_offered(incomplete, one.deployment_id, one.model_id)
    ]


def profiles(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the profiles of the configuration file that begin as typed."""
    import os

    from esml_stop.config.profiles import profile_names

    names = profile_names(os.environ, ctx.params.get("config_file"))
    return [CompletionItem(name) for name in names if is_offered(incomplete, name)]


def is_offered(begun: str, name: str, *others: str) -> bool:
    """Tell whether a name begins as typed, and nothing in it would mean something to a shell."""
    return name.startswith(begun) and all(shlex.quote(one) == one for one in (name, *others))


def asked(ctx: click.Context, begun: str) -> "Listing":
    """Return what the cluster of the options typed so far lists, or nothing when that fails or takes too long."""
    from esml_stop.models import Listing

    nothing = Listing((), frozenset())
    return in_time(lambda: listing(ctx, begun), nothing)


def listing(ctx: click.Context, begun: str) -> "Listing":
    """Ask the cluster; a password that would have to be typed is an error here."""
    import os

    from esml_stop.cluster.api import Cluster
    from esml_stop.config.resolve import resolve
    from esml_stop.config.settings import ConnectionOptions

    names = ConnectionOptions._fields
    options = ConnectionOptions(**{name: ctx.params.get(name) for name in names})
    cluster = Cluster(resolve(options, os.environ))
    return cluster.deployments(f"{begun}*" if begun else "_all", LONGEST_WAIT)


def in_time(work: Callable[[], "Listing"], otherwise: "Listing") -> "Listing":
    """Return what the work returns, or something else if it fails or is not done in time."""
    from esml_stop.runtime.background import begin_limited, within

    try:
        return within(LONGEST_WAIT, begin_limited(work))
    except Exception:  # noqa: BLE001 - whatever it is, a shell that completes has no use for it
        return otherwise


def script(shell: str, program: click.Command) -> str:
    """Return what makes a shell complete esml: the script, and how to install it as comments."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found
    source = found(program, {}, "esml", "_ESML_COMPLETE").source().strip()
    comments = "".join(f"# {line}\n" for line in INSTALL[shell].splitlines())
    # zsh wants to find #compdef on the first line.
    first, _, rest = source.partition("\n")
    return f"{first}\n{comments}{rest}" if first.startswith("#compdef") else f"{comments}{source}"


INSTALL = {
    "bash": """Completion of esml for bash 4.4 or newer. Put this line into ~/.bashrc:
  eval "$(esml completion bash)"
or install it once, for shells that start afterwards (needs the package bash-completion):
  mkdir -p ~/.local/share/bash-completion/completions
  esml completion bash > ~/.local/share/bash-completion/completions/esml""",
    "zsh": """Completion of esml for zsh. Put this line into ~/.zshrc, after compinit:
  eval "$(esml completion zsh)"
or install it once into a folder of $fpath, for shells that start afterwards:
  esml completion zsh > "${fpath[1]}/_esml\"""",
    "fish": """Completion of esml for fish. Install it once, for shells that start afterwards:
  esml completion fish > ~/.config/fish/completions/esml.fish
or only for this shell:
  esml completion fish | source""",
}
