"""`esml completion`: prints the completion script for a shell."""

import click

from esml_stop.cli.help import Command

EPILOG = """\b
Examples:
  eval "$(esml completion bash)"    # in ~/.bashrc
  eval "$(esml completion zsh)"     # in ~/.zshrc
  esml completion fish > ~/.config/fish/completions/esml.fish
"""


@click.command("completion", cls=Command, epilog=EPILOG, needs_arguments=True)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the shell completion script for commands, options and deployment IDs.

    The first lines of the script say how to install it. Deployment IDs are read from the cluster within a second; if
    that fails, none are offered.
    """
    from esml_stop.cli.completion import script
    from esml_stop.output.render import write

    write(script(shell, ctx.find_root().command) + "\n")
    return 0
