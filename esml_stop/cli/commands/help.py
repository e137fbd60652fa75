"""`esml help`: the same text as --help prints."""

import click

from esml_stop.cli.help import Command


@click.command("help", cls=Command)
@click.argument("name", required=False, metavar="[COMMAND]")
@click.pass_context
def command(ctx: click.Context, name: str | None) -> int:
    """Show the help of esml or of one command."""
    group = ctx.find_root()
    assert isinstance(group.command, click.Group)
    if name is None:
        click.echo(group.get_help())
        return 0
    found = group.command.get_command(group, name)
    if found is None:
        raise click.UsageError(
            f"There is no command {name!r}. There are: {', '.join(group.command.list_commands(group))}."
        )
    click.echo(found.get_help(click.Context(found, group, info_name=name, **found.context_settings)))
    return 0
