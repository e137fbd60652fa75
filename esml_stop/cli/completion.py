"""Shell completion: IDs from the cluster, save files and profiles; silent, and within a second."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from esml_stop.cluster.api import Cluster
    from esml_stop.models import Listing

T = TypeVar("T")

# In seconds. Together with the start of Python and esml, a completion takes less than a second.
LONGEST_WAIT = 0.75


def deployment_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the deployments that start with the typed text, or with its last part in a comma-separated list."""
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
    """Return the models with deployments, and their aliases, that start with the typed text."""
    found: dict[str, str] = {}
    in_time(lambda: find_models(ctx, incomplete, found), None)
    return [
        CompletionItem(name, help=None if name == model else f"alias of {model}")
        for name, model in sorted(dict(found).items())  # a copy: the thread may still add to it
        if is_offered(incomplete, name, model)
    ]


def find_models(ctx: click.Context, begun: str, found: dict[str, str]) -> None:
    """Add model IDs to `found`, then aliases, which may not be readable or may arrive too late."""
    from esml_stop.plan.patterns import chunks

    cluster = connected(ctx)
    listed = cluster.deployments(matching(begun), LONGEST_WAIT)
    found.update({one.model_id: one.model_id for one in listed.deployments})
    for names in chunks(list(found)):
        for model in cluster.model_configs(names, LONGEST_WAIT):
            found.update(dict.fromkeys(model.aliases, model.model_id))


def saved_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the deployments in the save file that start with the typed text; none if it cannot be read."""
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
    """Return the profiles in the configuration file that start with the typed text."""
    import os

    from esml_stop.config.profiles import profile_names

    names = profile_names(os.environ, ctx.params.get("config_file"))
    return [CompletionItem(name) for name in names if is_offered(incomplete, name)]


def is_offered(begun: str, name: str, *others: str) -> bool:
    """Return whether a name starts with the typed text and contains no special characters of a shell."""
    return name.startswith(begun) and all(shlex.quote(one) == one for one in (name, *others))


def asked(ctx: click.Context, begun: str) -> "Listing":
    """Return the deployments on the cluster, or an empty listing if that fails or takes too long."""
    from esml_stop.models import Listing

    nothing = Listing((), frozenset())
    return in_time(lambda: connected(ctx).deployments(matching(begun), LONGEST_WAIT), nothing)


def connected(ctx: click.Context) -> "Cluster":
    """Return the cluster selected by the options typed so far; raise an error if a password prompt is needed."""
    import os

    from esml_stop.cluster.api import Cluster
    from esml_stop.config.resolve import resolve
    from esml_stop.config.settings import ConnectionOptions

    names = ConnectionOptions._fields
    options = ConnectionOptions(**{name: ctx.params.get(name) for name in names})
    return Cluster(resolve(options, os.environ))


def matching(begun: str) -> str:
    """Return the pattern that matches every ID that starts with the typed text."""
    return f"{begun}*" if begun else "_all"


def in_time(work: Callable[[], T], otherwise: T) -> T:
    """Return the result of the work, or `otherwise` if it fails or takes too long."""
    from esml_stop.runtime.background import begin_limited, wait_for_result

    try:
        return wait_for_result(LONGEST_WAIT, begin_limited(work))
    except Exception:  # noqa: BLE001 - completion must not print errors
        return otherwise


def script(shell: str, program: click.Command) -> str:
    """Return the completion script for a shell, with installation instructions as comments."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found
    source = found(program, {}, "esml", "_ESML_COMPLETE").source().strip()
    for old, new in CORRECTIONS.get(shell, ()):
        source = source.replace(old, new)
    comments = "".join(f"# {line}\n" for line in INSTALL[shell].splitlines())
    # zsh requires #compdef on the first line.
    first, _, rest = source.partition("\n")
    return f"{first}\n{comments}{rest}" if first.startswith("#compdef") else f"{comments}{source}"


# Fixes for click's scripts: they leave variables in the shell, and in fish they cut descriptions at a comma.
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
