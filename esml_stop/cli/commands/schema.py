"""`esml schema`: what esml writes for programs, for those who check it or generate code from it."""

import click

from esml_stop.cli.help import Command


@click.command("schema", cls=Command)
@click.argument("name", type=click.Choice(["report", "save"]), default="report")
def command(name: str) -> int:
    """Print the JSON Schema of what -o json and -o jsonl write, or of save files.

    It is that of the reports, unless `save` is asked for: the file that `esml stop --save` writes.
    """
    from esml_stop.output.render import schema, write

    write(schema(name))
    return 0
