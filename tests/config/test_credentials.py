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


def of(**values: str) -> Credentials:
    """Return the credentials from settings, without a prompt."""
    return credentials(Settings(values, {name: name.upper() for name in values}), (), None, None)


def said(**values: str) -> str:
    """Return the error text for settings that are not valid credentials."""
    with pytest.raises(ConfigError) as wrong:
        of(**values)
    return wrong.value.message


@pytest.mark.parametrize("text", [ENCODED, "the-id:the-key", f" {ENCODED}\n"])
def test_an_api_key_comes_encoded_or_as_two_parts(text: str) -> None:
    """An API key is sent encoded, whether it was encoded or two parts; surrounding white space is ignored."""
    assert of(api_key=text) == Credentials(api_key=ENCODED)


def test_an_api_key_comes_from_a_file_or_standard_input(tmp_path: Path) -> None:
    """An API key is read from a file, or with a dash from standard input."""
    (tmp_path / "key").write_text(f"{ENCODED}\n")
    assert of(api_key_file=str(tmp_path / "key")).api_key == ENCODED
    found = credentials(
        Settings({"api_key_file": "-"}, {"api_key_file": "--api-key-file"}), (), io.StringIO(ENCODED), None
    )
    assert found.api_key == ENCODED


def test_a_serverless_key_is_taken_as_it_is() -> None:
    """A long key that is not a pair is used unchanged."""
    assert of(api_key="essu_" + "A" * 60).api_key == "essu_" + "A" * 60


@pytest.mark.parametrize("text", ["short", "two words", "naïve", "line\nbreak"])
def test_what_is_no_api_key_is_not_repeated(text: str) -> None:
    """An invalid API key is reported by its setting, without its value."""
    assert "API_KEY" in said(api_key=text)
    assert text not in said(api_key=text)


@pytest.mark.parametrize(
    ("values", "says"),
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
        ({"username": "u"}, "The password is missing, and there is no terminal to ask for it"),
    ],
)
def test_what_cannot_be_credentials_is_refused(values: dict[str, str], says: str) -> None:
    """Two kinds of credentials, or half of one, are rejected."""
    assert says in said(**values)


def test_a_password_is_asked_for() -> None:
    """The prompt for a missing password contains the user name."""
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return "typed"

    assert credentials(Settings({"username": "u"}, {}), (), None, prompt).password == "typed"
    assert asked == ["Password of u: "]
    assert credentials(Settings({"username": "u", "password": "p"}, {}), (), None, prompt).password == "p"


def test_credentials_in_the_url_count_when_no_others_are_given() -> None:
    """Without other credentials, those of the first URL that has some are used."""
    hosts = (Address("http://a:1"), Address("http://b:1", "u", "p"))
    assert credentials(Settings(), hosts, None, None) == Credentials(username="u", password="p")
    keyed = Settings({"api_key": ENCODED}, {"api_key": "K"})
    assert credentials(keyed, hosts, None, None) == Credentials(api_key=ENCODED)
    assert credentials(Settings(), (), None, None) == Credentials()


def test_secrets_are_in_no_repr() -> None:
    """repr() shows no key, token or password."""
    shown = repr(Credentials("hidden-key", "hidden-token", "user", "hidden-password"))
    assert "hidden" not in shown


@pytest.mark.parametrize(("key", "found"), [(ENCODED, "the-id"), ("essu_abc", None), ("YWJj", None), ("//8=", None)])
def test_the_id_of_a_key_is_known_where_it_has_one(key: str, found: str | None) -> None:
    """The ID of an API key, which is not secret, can be read from it."""
    assert key_id(key) == found
