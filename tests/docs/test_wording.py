"""Checks that the texts for users follow the glossary."""

import ast

import pytest

from tests.support.wording import problems, sentences, strings


def test_texts_for_users_contain_no_word_that_the_glossary_rules_out() -> None:
    """Messages, help texts, schemas, README, docs and CHANGELOG contain no word that the glossary rules out."""
    found = [f"{place}: {problem}: {text.strip()[:120]}" for place, text in sentences() for problem in problems(text)]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a pipeline references this deployment", 0),
        ("a pipeline names this deployment", 1),
        ("The sandbox wants a password", 2),
        ("esml sandbox runs a practice cluster", 0),
    ],
)
def test_each_word_that_the_glossary_rules_out_is_found_once(text: str, count: int) -> None:
    """Each word that the glossary rules out is found once."""
    assert len(problems(text)) == count


def test_f_strings_and_help_texts_are_read() -> None:
    """An f-string is read as one text, and docstrings only if they are help texts."""
    module = 'def f(x):\n    """Hidden."""\n    return f"a {x} b"\n\n@click.command()\ndef g():\n    """Shown."""\n'
    assert sorted(text for _, text in strings(ast.parse(module))) == ["Shown.", "a ... b"]
