"""Generates the man page from the commands and README's exit codes: `python -m docs.man > docs/esml.1`."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from esml_stop import __version__
from esml_stop.cli.help import SETTINGS, groups
from esml_stop.cli.main import COMMANDS, LazyGroup, esml

README = Path(__file__).parent.parent / "README.md"


def page() -> str:
    """Return the man page as roff text."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    """Yield the lines of the page."""
    purpose, *rest = paragraphs(esml.help)
    yield f'.TH ESML 1 "" "esml {__version__}" "User Commands"'
    yield from (".SH NAME", f"esml \\- {text(purpose[0].lower() + purpose[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", r".B esml", r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]")
    yield from (".SH EXAMPLES", *(line for one in rest for line in verbatim(one.removeprefix("Examples:\n"))))
    yield ".SH COMMANDS"
    context = click.Context(esml, info_name="esml", **SETTINGS)  # type: ignore[arg-type]
    for name in COMMANDS:
        command = LazyGroup.get_command(esml, context, name)
        assert command
        yield from section(command, click.Context(command, context, info_name=name, **SETTINGS))  # type: ignore[arg-type]
    yield ".SH EXIT STATUS"
    for code, meaning in exit_codes().items():
        yield from (".TP", f".B {text(code)}", text(meaning))


def section(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield usage, purpose, examples and options of one command."""
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f".SS {text(context.command_path)} {text(usage)}", *prose(command.help))
    for example in paragraphs(command.epilog):
        yield from (".PP", *verbatim(example))
    for title, options in groups(command, context).items():
        yield from (".PP", rf"\fI{title}\fR")
        for names, help_text in filter(None, (one.get_help_record(context) for one in options)):
            yield from (".TP", rf"\fB{text(names)}\fR", text(help_text))


def prose(help_text: str | None) -> Iterator[str]:
    """Yield the paragraphs of a help text."""
    for paragraph in paragraphs(help_text):
        yield from (".PP", text(paragraph.replace("\n", " ")))


def paragraphs(help_text: str | None) -> list[str]:
    """Return the paragraphs of a help text, without click's marker for paragraphs that are not wrapped."""
    return [one.replace("\b\n", "") for one in re.split(r"\n{2,}", inspect.cleandoc(help_text or "")) if one.strip()]


def verbatim(paragraph: str) -> Iterator[str]:
    """Yield lines that are not wrapped."""
    yield from (".nf", *map(text, paragraph.splitlines()), ".fi")


def text(plain: str) -> str:
    """Return text with roff's special characters escaped."""
    escaped = plain.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def exit_codes() -> dict[str, str]:
    """Return README's table of exit codes."""
    table = re.search(r"\| Exit code \| Meaning \|\n\|[ -|]+\|\n((?:\|.*\|\n)+)", README.read_text(encoding="utf-8"))
    assert table
    rows = (line.strip("|").split("|") for line in table[1].splitlines())
    return {code.strip(): meaning.strip().replace("`", "") for code, meaning in rows}


if __name__ == "__main__":
    click.echo(page(), nl=False)
