"""`esml schema`: prints the JSON Schemas of reports and save files."""

import click

from esml_stop.cli.help import Command


@click.command("schema", cls=Command)
@click.argument("name", type=click.Choice(["report", "save"]), default="report")
def command(name: str) -> int:
    """Print the JSON Schema of -o json and -o jsonl, or of save files.

    `report` is the default; `save` is the file that `esml stop --save` writes.
    """
    from esml_stop.output.render import schema, write

    write(schema(name))
    return 0
