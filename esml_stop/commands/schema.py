"""`esml schema`: what the JSON output looks like, for those who check or generate code from it."""

import click


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of what -o json and -o jsonl write."""
    from esml_stop.render import write_schema

    write_schema()
    return 0
