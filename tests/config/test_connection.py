import base64

import pytest

from esml_stop.config.connection import LONGEST_TRACEBACK, MASK, Connection, RedactedError, redacted, without_secrets
from esml_stop.config.urls import Proxy

URL = ("http://localhost:9200",)
KEY = base64.b64encode(b"key-id:the/secret").decode()


@pytest.mark.parametrize(
    ("connection", "hidden"),
    [
        (Connection(URL, api_key=KEY), [KEY, KEY.rstrip("="), "key-id:the/secret", "the/secret", "the%2Fsecret"]),
        (Connection(URL, bearer_token="t0ken/x"), ["t0ken/x", "t0ken%2Fx"]),
        (
            Connection(URL, username="u", password="p/w0rd"),
            ["p/w0rd", "p%2Fw0rd", base64.b64encode(b"u:p/w0rd").decode()],
        ),
        (
            Connection(URL, proxies={URL[0]: Proxy("http://p:1", "me:pr/oxy", "HTTP_PROXY")}),
            ["pr/oxy", "pr%2Foxy", "me:pr/oxy", base64.b64encode(b"me:pr/oxy").decode()],
        ),
    ],
    ids=["key", "token", "password", "proxy"],
)
def test_each_form_of_a_secret_is_masked(connection: Connection, hidden: list[str]) -> None:
    """A secret is masked as given, as in a header, decoded, and as in a URL."""
    for form in hidden:
        assert MASK in redacted(f"a [{form}] b", connection), form
        assert redacted(f"a [{form}] b", connection).strip("ab []=") == MASK


def test_text_without_a_secret_is_unchanged() -> None:
    """Text without a secret, such as a user name, is not changed."""
    assert redacted("user u may not [x]", Connection(URL, username="u", password="p4ss")) == "user u may not [x]"
    assert redacted("anything", Connection(URL)) == "anything"


def test_a_password_of_one_letter_is_not_masked() -> None:
    """A password of one letter is not masked, because that would mask the letter everywhere."""
    assert redacted("a cluster", Connection(URL, username="u", password="a")) == "a cluster"


def test_an_api_key_that_cannot_be_decoded_is_masked() -> None:
    """The API key of a serverless project, which is not an encoded pair, is masked."""
    key = "essu_//////////////////////8="
    assert redacted(f"[{key}]", Connection(URL, api_key=key)) == f"[{MASK}]"


def test_an_exception_with_a_secret_is_left_out_of_a_traceback() -> None:
    """An exception with a secret or a text as long as a response is replaced by its class name; others are kept."""
    connection = Connection(URL, username="u", password="p4ssw0rd")
    for text in ("got p4ssw0rd", "x" * LONGEST_TRACEBACK):
        cause = without_secrets(ValueError(text), connection)
        assert isinstance(cause, RedactedError)
        assert str(cause).startswith("ValueError")
    plain = ValueError("nothing of it")
    assert without_secrets(plain, connection) is plain
