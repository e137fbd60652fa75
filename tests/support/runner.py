"""Runs esml in scenarios, and adds the prefix to all names, so that a test cannot use other names.

run("stop", "d*", "--model", "m")  runs  esml stop esml-test-abcdef-d* --model esml-test-abcdef-m

The output is returned without the prefix. On a cluster that others use, `_all` runs only with --dry-run, and
`esml list` lists only deployments with the prefix.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import click
import pytest

from tests.support.command import Ended, esml
from tests.support.raw_cluster import RawCluster

WITH_IDS = ("stop", "list", "restore", "restart")


@dataclass(frozen=True)
class Run:
    """Runs esml against a cluster."""

    cluster: RawCluster

    def __call__(
        self, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None, timeout: float = 60
    ) -> Ended:
        """Add the prefix to the names in a command, run it, and return its result without the prefix."""
        words = self.words(*arguments)
        names = self.cluster.environment() if environment is None else environment
        ended = esml(*words, environment=names, stdin=self.lines(words, stdin), timeout=timeout)
        return Ended(ended.status, self.cluster.short(ended.out), self.cluster.short(ended.err))

    def words(self, *arguments: str) -> list[str]:
        """Return the arguments with prefixed names; on a shared cluster, a list of everything gets a pattern."""
        if not arguments or arguments[0] not in WITH_IDS:
            return list(arguments)
        words = [arguments[0], *self.renamed(arguments[0], arguments[1:])]
        everything = not self.chosen(arguments[0], arguments[1:])
        return [*words, self.cluster.full("*")] if everything and not self.cluster.alone else words

    def chosen(self, command: str, words: Sequence[str]) -> bool:
        """Return whether a command selects deployments, or requires a selection."""
        return command != "list" or "--model" in words or any(kind == "id" for kind, _ in kinds(command, words))

    def renamed(self, command: str, words: Sequence[str]) -> Iterator[str]:
        """Yield the words of a command with the prefix added to IDs."""
        for kind, word in kinds(command, words):
            if kind == "id":
                yield ",".join(self.identifier(part, words) for part in word.split(","))
            else:
                yield self.cluster.full(word) if kind == "model" else word

    def identifier(self, word: str, words: Sequence[str]) -> str:
        """Return an ID or a pattern with the prefix; skip the test if _all would include deployments of others."""
        if word == "_all":
            if not self.cluster.alone and "--dry-run" not in words:
                pytest.skip("_all would reach what is not ours")
            return word
        return word if word in {"", "-"} else self.cluster.full(word)

    def lines(self, words: Sequence[str], stdin: str) -> str:
        """Return standard input, with the prefix added to each ID if the command reads IDs from it."""
        if "-" not in words or words[0] == "restore":
            return stdin
        return "".join(self.cluster.full(line) if line.strip() else line for line in stdin.splitlines(keepends=True))


def kinds(command: str, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each word with its kind: `id`, `model`, or `other` for options, their values, and the save file."""
    takes, owner, file = values(command), "", command == "restore"
    for word in words:
        if owner:
            yield ("model" if owner == "--model" else "other"), word
            owner = ""
        elif word.startswith("-") and word != "-":
            owner = word if word in takes else ""
            yield "other", word
        else:
            yield ("other" if file else "id"), word
            file = False


@cache
def values(command: str) -> frozenset[str]:
    """Return the options of a command that require a value."""
    found: click.Command = import_module(f"esml_stop.cli.commands.{command}").command
    options = [one for one in found.params if isinstance(one, click.Option) and not one.is_flag and not one.count]
    return frozenset(name for one in options for name in one.opts)
