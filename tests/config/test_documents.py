import json
from pathlib import Path

import pytest

from esml_stop.config.documents import LARGEST, document, has_secret, text_of
from esml_stop.errors import ConfigError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 10)}]\n" for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)


def loaded(tmp_path: Path, text: str | bytes, name: str = "config.yml") -> dict[str, object]:
    """Write a file with this text and return its contents as esml reads them."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return document(path, "FILE")[0]


def test_yaml_values_remain_strings(tmp_path: Path) -> None:
    """YAML values such as 0123, no, dates and versions remain strings; an empty value and ~ are null."""
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
def test_json_is_read_under_any_file_name(tmp_path: Path, name: str) -> None:
    """JSON is read under any file name."""
    assert loaded(tmp_path, json.dumps({"a": {"b": "c"}}), name) == {"a": {"b": "c"}}


def test_yaml_anchors_can_be_used(tmp_path: Path) -> None:
    """YAML anchors can be used, for example for one login in two contexts."""
    assert loaded(tmp_path, "a: &login {x: '1'}\nb: *login\n") == {"a": {"x": "1"}, "b": {"x": "1"}}


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_invalid_yaml_is_reported_in_one_line_without_its_text(tmp_path: Path, text: str | bytes, message: str) -> None:
    """An invalid YAML file is reported in one line with the position, if known, but no text, which may be a secret."""
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    assert raised.value.message == message
    assert "hidden" not in f"{raised.value.message}{raised.value.hint}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "FILE is empty."),
        ("null", "FILE is empty."),
        ("[]", "FILE contains no settings, only a list."),
        ('{"a": hidden}', "FILE is not valid JSON (line 1, column 7)."),
        ("[" * 100_000, "FILE is nested too deeply."),
    ],
)
def test_invalid_json_is_reported_in_one_line_without_its_text(tmp_path: Path, text: str, message: str) -> None:
    """An invalid JSON file is reported in one line with the position, if known, but no text, which may be a secret."""
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text, "x.json")
    assert raised.value.message == message


def test_a_file_of_ten_megabytes_is_rejected(tmp_path: Path) -> None:
    """A file of ten megabytes is rejected because it is larger than 128 KiB."""
    with pytest.raises(ConfigError, match="larger than 128 KiB"):
        loaded(tmp_path, b"a: b\n" * 2_000_000)


@pytest.mark.parametrize(
    ("value", "text"), [(None, None), ("", None), ("x", "x"), (True, "true"), (5, "5"), ([], None), ({}, None)]
)
def test_a_number_or_boolean_is_converted_to_text(value: object, text: str | None) -> None:
    """A JSON number or boolean is converted to text; an empty string, a list or an object counts as no value."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("data", "expected"),
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
def test_a_secret_in_a_file_is_detected(data: object, expected: bool) -> None:
    """Secrets are detected in any part of the file; expressions and variables do not count as secrets."""
    assert has_secret(data) is expected
