"""`esml schema`: what the JSON output looks like, for those who check or generate code from it."""

import click


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of what -o json and -o jsonl write."""
    from esml_stop.render import schema, write

    write(schema())
    return 0
