import base64
import io
from pathlib import Path

import pytest

from esml_stop.config.api_key import key_id
from esml_stop.config.credentials import Credentials, credentials
from esml_stop.config.settings import Settings
from esml_stop.config.urls import Address
from esml_stop.errors import ConfigError

ENCODED = base64.b64encode(b"the-id:the-key").decode()


def credentials_from(**values: str) -> Credentials:
    """Return the credentials in these settings, without a prompt."""
    return credentials(Settings(values, {name: name.upper() for name in values}), (), None, None)


def error_text(**values: str) -> str:
    """Return the error text for settings that are not valid credentials."""
    with pytest.raises(ConfigError) as raised:
        credentials_from(**values)
    return raised.value.message


@pytest.mark.parametrize("text", [ENCODED, "the-id:the-key", f" {ENCODED}\n"])
def test_an_api_key_can_be_encoded_or_a_pair(text: str) -> None:
    """An API key that is encoded or a pair is sent encoded; surrounding white space is ignored."""
    assert credentials_from(api_key=text) == Credentials(api_key=ENCODED)


def test_an_api_key_is_read_from_a_file_or_standard_input(tmp_path: Path) -> None:
    """An API key is read from a file or, if the file is a dash, from standard input."""
    (tmp_path / "key").write_text(f"{ENCODED}\n")
    assert credentials_from(api_key_file=str(tmp_path / "key")).api_key == ENCODED
    found = credentials(
        Settings({"api_key_file": "-"}, {"api_key_file": "--api-key-file"}), (), io.StringIO(ENCODED), None
    )
    assert found.api_key == ENCODED


def test_a_serverless_api_key_is_used_unchanged() -> None:
    """A long key that is not a pair is used unchanged."""
    assert credentials_from(api_key="essu_" + "A" * 60).api_key == "essu_" + "A" * 60


@pytest.mark.parametrize("text", ["short", "two words", "naïve", "line\nbreak"])
def test_an_invalid_api_key_is_reported_without_its_value(text: str) -> None:
    """An invalid API key is reported by its setting, without its value."""
    assert "API_KEY" in error_text(api_key=text)
    assert text not in error_text(api_key=text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"api_key": ENCODED, "username": "u"}, "API_KEY and USERNAME cannot be used together"),
        ({"api_key_file": "f", "username": "u"}, "API_KEY_FILE and USERNAME cannot be used together"),
        ({"api_key": ENCODED, "api_key_file": "f"}, "API_KEY and API_KEY_FILE cannot be used together"),
        ({"api_key": ENCODED, "bearer_token": "t"}, "API_KEY and BEARER_TOKEN cannot be used together"),
        (
            {"username": "u", "password": "p", "password_file": "f"},
            "and PASSWORD_FILE cannot be used together",
        ),
        ({"password": "p"}, "PASSWORD is given without a user name"),
        ({"password_file": "p"}, "PASSWORD_FILE is given without a user name"),
        ({"username": "u"}, "The password is missing, and esml cannot prompt for it"),
    ],
)
def test_conflicting_or_incomplete_credentials_are_rejected(values: dict[str, str], message: str) -> None:
    """Two kinds of credentials, or a user name or password alone, are rejected."""
    assert message in error_text(**values)


def test_a_missing_password_is_prompted_for() -> None:
    """A missing password is prompted for with the user name, and a given password is not."""
    prompts: list[str] = []

    def prompt(text: str) -> str:
        prompts.append(text)
        return "typed"

    assert credentials(Settings({"username": "u"}, {}), (), None, prompt).password == "typed"
    assert prompts == ["Password of u: "]
    assert credentials(Settings({"username": "u", "password": "p"}, {}), (), None, prompt).password == "p"


def test_credentials_in_a_url_are_used_if_no_others_are_given() -> None:
    """Without other credentials, those in the first URL that contains any are used."""
    hosts = (Address("http://a:1"), Address("http://b:1", "u", "p"))
    assert credentials(Settings(), hosts, None, None) == Credentials(username="u", password="p")
    with_key = Settings({"api_key": ENCODED}, {"api_key": "K"})
    assert credentials(with_key, hosts, None, None) == Credentials(api_key=ENCODED)
    assert credentials(Settings(), (), None, None) == Credentials()


def test_repr_shows_no_secret() -> None:
    """repr() shows no key, token or password."""
    text = repr(Credentials("hidden-key", "hidden-token", "user", "hidden-password"))
    assert "hidden" not in text


@pytest.mark.parametrize(("key", "expected"), [(ENCODED, "the-id"), ("essu_abc", None), ("YWJj", None), ("//8=", None)])
def test_the_id_is_read_from_an_api_key(key: str, expected: str | None) -> None:
    """The ID, which is not secret, is read from an encoded pair; other API keys have none."""
    assert key_id(key) == expected
