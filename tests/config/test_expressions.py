import os
from pathlib import Path

import pytest

from esml_stop.config.expressions import Reader, with_default
from esml_stop.errors import ConfigError

ENVIRONMENT = {"NAME": "value", "LOOP": "$(env:NAME)", "EMPTY": ""}


def test_all_expressions_in_a_value_are_resolved(tmp_path: Path) -> None:
    """A value can contain several expressions; results are not resolved again, and other text is not changed."""
    (tmp_path / "key").write_text("from a file\n\n")
    assert Reader(ENVIRONMENT).resolved("$(env:NAME)", "W") == "value"
    assert Reader(ENVIRONMENT).resolved("https://$(env:NAME).example:$(env:NAME)", "W") == "https://value.example:value"
    assert Reader(ENVIRONMENT).resolved(f"$(file:{tmp_path}/key)", "W") == "from a file"
    assert Reader(ENVIRONMENT).resolved("$(env:LOOP)", "W") == "$(env:NAME)"
    assert Reader(ENVIRONMENT).resolved("pa$$word $(not one) $(env:", "W") == "pa$$word $(not one) $(env:"


def test_an_unknown_kind_of_expression_is_rejected() -> None:
    """An unknown kind of expression is rejected with the list of known kinds, without its argument."""
    with pytest.raises(ConfigError) as raised:
        Reader(ENVIRONMENT).resolved("$(future:hidden)", "profile p in FILE: api_key")
    assert raised.value.message == "profile p in FILE: api_key contains $(future:...), which esml does not support."
    assert "secret_service" in str(raised.value.hint)


@pytest.mark.parametrize("kind", ["cmd", "keychain", "secret_service", "pass", "credential_manager"])
def test_without_permission_no_program_is_run(kind: str, tmp_path: Path) -> None:
    """Without permission to run programs, their expressions are kept, with commands as `...`; variables resolve."""
    reader = Reader({"PATH": str(tmp_path), "NAME": "n"}, run=False)
    text = f"$({kind}:touch/{tmp_path}/ran)$(env:NAME)"
    argument = "..." if kind == "cmd" else f"touch/{tmp_path}/ran"
    assert reader.resolved(text, "W") == f"$({kind}:{argument})n"
    assert reader.is_left(text)
    assert not reader.is_left("$(env:NAME)")
    assert not Reader({}).is_left(text)


def test_a_command_is_only_run_from_a_trusted_file(tmp_path: Path) -> None:
    """A command runs only from a trusted file, not from one that other users can write to."""
    environment = {"PATH": os.environ["PATH"]}
    with pytest.raises(ConfigError, match="other users can write to the file"):
        Reader(environment, trusted=False).resolved(f"$(cmd:touch {tmp_path}/ran)", "W")
    assert not (tmp_path / "ran").exists()
    assert Reader(environment).resolved("$(cmd:echo secret | tr a-z A-Z)", "W") == "SECRET"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$(env:MISSING)", "W is $(env:MISSING), but MISSING is not set."),
        ("$(env:EMPTY)", "W is $(env:EMPTY), but EMPTY is not set."),
        ("$(file:key)", "W is $(file:key); the path must begin with / or ~."),
        ("$(file:../key)", "W is $(file:../key); the path must begin with / or ~."),
        ("$(file:/no/such)", "W: /no/such cannot be read (no such file or directory)."),
        ("$(file:/dev/zero)", "W: /dev/zero is not a regular file."),
    ],
)
def test_an_expression_that_cannot_be_resolved_is_reported(text: str, message: str) -> None:
    """An expression that cannot be resolved is reported with its setting; relative paths are rejected."""
    with pytest.raises(ConfigError) as raised:
        Reader(ENVIRONMENT).resolved(text, "W")
    assert raised.value.message == message


def test_a_file_larger_than_64_kib_is_rejected(tmp_path: Path) -> None:
    """A secret file larger than 64 KiB is rejected."""
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than 64 KiB"):
        Reader({}).resolved(f"$(file:{tmp_path}/large)", "W")


def test_an_es_client_value_can_be_a_variable_with_a_default() -> None:
    """In an es_client file, a value can be a variable with a default after the first colon; other text is unchanged."""
    assert with_default("${NAME}", "W", ENVIRONMENT) == "value"
    assert with_default("${MISSING:http://h:9200}", "W", ENVIRONMENT) == "http://h:9200"
    assert with_default("a ${NAME}", "W", ENVIRONMENT) == "a ${NAME}"
    with pytest.raises(ConfigError, match="but MISSING is not set"):
        with_default("${MISSING}", "W", ENVIRONMENT)
