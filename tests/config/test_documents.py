import json
from pathlib import Path

import pytest

from esml_stop.config.documents import LARGEST, document, has_secret, text_of
from esml_stop.errors import ConfigError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 10)}]\n" for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)


def loaded(tmp_path: Path, text: str | bytes, name: str = "config.yml") -> dict[str, object]:
    """Return the contents of a file with this text."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return document(path, "FILE")[0]


def test_yaml_values_stay_the_text_they_are(tmp_path: Path) -> None:
    """YAML values remain strings: a password 0123, a context named no, dates and versions; none is null."""
    text = "no: 0123\nversion: 9.10\ndate: 2024-01-01\nyes: on\nempty:\nnull_: ~\nlist: [1, two]\n"
    assert loaded(tmp_path, text) == {
        "no": "0123",
        "version": "9.10",
        "date": "2024-01-01",
        "yes": "on",
        "empty": None,
        "null_": None,
        "list": ["1", "two"],
    }


@pytest.mark.parametrize("name", [".elasticrc", "x.yaml", "x.yml", "x.json"])
def test_json_is_read_under_every_name(tmp_path: Path, name: str) -> None:
    """JSON is read under any file name, and a .json file does not need the YAML parser."""
    assert loaded(tmp_path, json.dumps({"a": {"b": "c"}}), name) == {"a": {"b": "c"}}


def test_anchors_that_stay_small_are_fine(tmp_path: Path) -> None:
    """YAML anchors can be used, for example for one login in two contexts."""
    assert loaded(tmp_path, "a: &login {x: '1'}\nb: *login\n") == {"a": {"x": "1"}, "b": {"x": "1"}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "FILE is empty."),
        ("# nothing but a comment\n", "FILE is empty."),
        ("---\n...\n", "FILE is empty."),
        ("just text", "FILE contains no settings, only text."),
        ("- a\n- list\n", "FILE contains no settings, only a list."),
        ("a: [1, hidden\n", "FILE is not valid YAML (line 2, column 1)."),
        ("a: b\n c: hidden", "FILE is not valid YAML (line 2, column 3)."),
        ("password: *hidden\n", "FILE is not valid YAML (line 1, column 11)."),
        ("password: @hidden\n", "FILE is not valid YAML (line 1, column 11)."),
        ("a: 1\n---\nb: hidden\n", "FILE is not valid YAML (line 2, column 1)."),
        ("a: hid\x07den", "FILE is not valid YAML."),
        ("? [a, hidden]\n: b\n", "FILE is not valid YAML (line 1, column 3)."),
        (
            "a: !!python/object/apply:os.system ['hidden']",
            "FILE has a YAML tag (!...) in line 1; esml reads plain values only.",
        ),
        ("a: 1\nb: !env hidden\n", "FILE has a YAML tag (!...) in line 2; esml reads plain values only."),
        ("a: !!int hidden\n", "FILE has a YAML tag (!...) in line 1; esml reads plain values only."),
        (BOMB, "FILE expands to too many values through its anchors (&) and aliases (*)."),
        ("a: &a [*a]\n", "FILE is nested too deeply."),
        ("[" * 5000, "FILE is nested too deeply."),
        (f"a: {'x' * LARGEST}", "FILE is larger than 128 KiB."),
        ("a: ü".encode("latin-1"), "FILE is not UTF-8 text."),
        ("a: b".encode("utf-16"), "FILE is not UTF-8 text."),
    ],
)
def test_what_is_wrong_with_yaml_is_one_line_without_its_text(tmp_path: Path, text: str | bytes, says: str) -> None:
    """A YAML error is one line with the position, without the text, which may be a secret."""
    with pytest.raises(ConfigError) as wrong:
        loaded(tmp_path, text)
    assert wrong.value.message == says
    assert "hidden" not in f"{wrong.value.message}{wrong.value.hint}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "FILE is empty."),
        ("null", "FILE is empty."),
        ("[]", "FILE contains no settings, only a list."),
        ('{"a": hidden}', "FILE is not valid JSON (line 1, column 7)."),
        ("[" * 100_000, "FILE is nested too deeply."),
    ],
)
def test_what_is_wrong_with_json_is_one_line_without_its_text(tmp_path: Path, text: str, says: str) -> None:
    """A JSON error is one line with the position, without the text."""
    with pytest.raises(ConfigError) as wrong:
        loaded(tmp_path, text, "x.json")
    assert wrong.value.message == says


def test_ten_megabytes_are_refused_unread(tmp_path: Path) -> None:
    """A file of ten megabytes is rejected without reading it."""
    with pytest.raises(ConfigError, match="larger than 128 KiB"):
        loaded(tmp_path, b"a: b\n" * 2_000_000)


@pytest.mark.parametrize(
    ("value", "text"), [(None, None), ("", None), ("x", "x"), (True, "true"), (5, "5"), ([], None), ({}, None)]
)
def test_a_single_value_is_text(value: object, text: str | None) -> None:
    """A JSON number or boolean is converted to text; a list or object is not a value."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"contexts": {"a": {"elasticsearch": {"auth": {"api_key": "k"}}}}}, True),
        ({"contexts": [{"password": "p"}]}, True),
        ({"url": "https://user:pass@h:9200/"}, True),
        ({"url": "https://h/a@b"}, False),
        ({"url": "https://user:2024/pass@h:9200"}, True),
        ({"api_key": "$(env:KEY)", "password": "${PASSWORD}"}, False),
        ({"api_key": {"id": "i", "api_key": "k"}}, True),
        ({"password": "", "token": None, "username": "u"}, False),
    ],
)
def test_a_secret_itself_is_told_from_where_it_is_found(data: object, found: bool) -> None:
    """Secrets are detected in any part of the file; expressions do not count as secrets."""
    assert has_secret(data) is found
