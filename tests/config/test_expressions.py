from pathlib import Path

import pytest

from esml_stop.config.expressions import resolved, substituted
from esml_stop.errors import ConfigError

ENVIRONMENT = {"NAME": "value", "LOOP": "$(env:NAME)", "EMPTY": ""}


def test_expressions_are_replaced_wherever_they_stand(tmp_path: Path) -> None:
    """A value may be one, or hold several; what comes in is not looked through again."""
    (tmp_path / "key").write_text("from a file\n\n")
    assert resolved("$(env:NAME)", "W", ENVIRONMENT) == "value"
    assert resolved("https://$(env:NAME).example:$(env:NAME)", "W", ENVIRONMENT) == "https://value.example:value"
    assert resolved(f"$(file:{tmp_path}/key)", "W", ENVIRONMENT) == "from a file"
    assert resolved("$(env:LOOP)", "W", ENVIRONMENT) == "$(env:NAME)"
    assert resolved("pa$$word $(not one) $(env:", "W", ENVIRONMENT) == "pa$$word $(not one) $(env:"


@pytest.mark.parametrize("kind", ["cmd", "keychain", "secret_service", "pass", "credential_manager", "future"])
def test_other_kinds_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    """Nothing is run, and what would have been run is not repeated."""
    with pytest.raises(ConfigError) as wrong:
        resolved(f"$({kind}:touch {tmp_path}/ran)", "profile p in FILE: api_key", ENVIRONMENT)
    assert wrong.value.message.startswith(f"profile p in FILE: api_key holds $({kind}:...), which esml does not follow")
    assert "touch" not in wrong.value.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$(env:MISSING)", "W is $(env:MISSING), but MISSING is not set."),
        ("$(env:EMPTY)", "W is $(env:EMPTY), but EMPTY is not set."),
        ("$(file:key)", "W is $(file:key); the path must begin with / or ~."),
        ("$(file:../key)", "W is $(file:../key); the path must begin with / or ~."),
        ("$(file:/no/such)", "W: /no/such cannot be read (no such file or directory)."),
        ("$(file:/dev/zero)", "W: /dev/zero is not a regular file."),
    ],
)
def test_what_leads_nowhere_is_said(text: str, says: str) -> None:
    """With the value it belongs to; a relative path would be read from wherever one happens to be."""
    with pytest.raises(ConfigError) as wrong:
        resolved(text, "W", ENVIRONMENT)
    assert wrong.value.message == says


def test_a_file_is_read_up_to_64_kib(tmp_path: Path) -> None:
    """More is no secret."""
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than 64 KiB"):
        resolved(f"$(file:{tmp_path}/large)", "W", {})


def test_es_client_takes_a_whole_value_from_a_variable() -> None:
    """With a default after the first colon; anything else is the text it is."""
    assert substituted("${NAME}", "W", ENVIRONMENT) == "value"
    assert substituted("${MISSING:http://h:9200}", "W", ENVIRONMENT) == "http://h:9200"
    assert substituted("a ${NAME}", "W", ENVIRONMENT) == "a ${NAME}"
    with pytest.raises(ConfigError, match="but MISSING is not set"):
        substituted("${MISSING}", "W", ENVIRONMENT)
