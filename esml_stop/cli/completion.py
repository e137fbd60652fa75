"""What a shell offers when Tab is pressed: live IDs from the cluster, or nothing; in a second and without a word."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from esml_stop.cluster.api import Cluster
    from esml_stop.models import Listing

T = TypeVar("T")

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
    """Return the models with deployments, and their aliases, that begin as typed."""
    found: dict[str, str] = {}
    in_time(lambda: find_models(ctx, incomplete, found), None)
    return [
        CompletionItem(name, help=None if name == model else f"alias of {model}")
        for name, model in sorted(dict(found).items())  # it may still grow
        if is_offered(incomplete, name, model)
    ]


def find_models(ctx: click.Context, begun: str, found: dict[str, str]) -> None:
    """Note the model of each model ID, then of each alias: these may not be readable, or come too late."""
    from esml_stop.plan.patterns import chunks

    cluster = connected(ctx)
    listed = cluster.deployments(matching(begun), LONGEST_WAIT)
    found.update({one.model_id: one.model_id for one in listed.deployments})
    for names in chunks(list(found)):
        for model in cluster.model_configs(names, LONGEST_WAIT):
            found.update(dict.fromkeys(model.aliases, model.model_id))


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
    return in_time(lambda: connected(ctx).deployments(matching(begun), LONGEST_WAIT), nothing)


def connected(ctx: click.Context) -> "Cluster":
    """Return the cluster of the options typed so far; a password that would have to be typed is an error here."""
    import os

    from esml_stop.cluster.api import Cluster
    from esml_stop.config.resolve import resolve
    from esml_stop.config.settings import ConnectionOptions

    names = ConnectionOptions._fields
    options = ConnectionOptions(**{name: ctx.params.get(name) for name in names})
    return Cluster(resolve(options, os.environ))


def matching(begun: str) -> str:
    """Return the pattern of everything that begins as typed."""
    return f"{begun}*" if begun else "_all"


def in_time(work: Callable[[], T], otherwise: T) -> T:
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
    for old, new in CORRECTIONS.get(shell, ()):
        source = source.replace(old, new)
    comments = "".join(f"# {line}\n" for line in INSTALL[shell].splitlines())
    # zsh wants to find #compdef on the first line.
    first, _, rest = source.partition("\n")
    return f"{first}\n{comments}{rest}" if first.startswith("#compdef") else f"{comments}{source}"


# What click's scripts get wrong: variables stay in the shell, and fish cuts words and descriptions at a comma.
CORRECTIONS = {
    "bash": (("local response\n", "local response completion type value\n"),),
    "zsh": (("local -a response\n", "local -a response\n    local type key descr\n"),),
    "fish": (('string split ","', 'string split --max 1 ","'),),
}

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
