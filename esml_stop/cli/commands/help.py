"""`esml help`: prints the same text as --help."""

import click

from esml_stop.cli.help import Command


@click.command("help", cls=Command)
@click.argument("name", required=False, metavar="[COMMAND]")
@click.pass_context
def command(ctx: click.Context, name: str | None) -> int:
    """Show the help of esml or of one command."""
    from esml_stop.output.render import write

    group = ctx.find_root()
    assert isinstance(group.command, click.Group)
    if name is None:
        write(f"{group.get_help()}\n")
        return 0
    found = group.command.get_command(group, name)
    if found is None:
        raise click.UsageError(
            f"There is no command {name!r}. Commands: {', '.join(group.command.list_commands(group))}."
        )
    text = found.get_help(click.Context(found, group, info_name=name, **found.context_settings))
    write(f"{text}\n")
    return 0
