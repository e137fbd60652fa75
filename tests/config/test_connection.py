import base64

import pytest

from esml_stop.config.connection import LONGEST_TRACEBACK, MASK, Connection, RedactedError, printable, redacted
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
    """A secret is masked as given, as in a header, decoded, and as in a URL; the text around it is kept."""
    for form in hidden:
        assert MASK in redacted(f"a [{form}] b", connection), form
        assert redacted(f"a [{form}] b", connection).strip("ab []=") == MASK


def test_other_text_stays_as_it_is() -> None:
    """The user name, an ID, and any text without a secret are not changed."""
    assert redacted("user u may not [x]", Connection(URL, username="u", password="p4ss")) == "user u may not [x]"
    assert redacted("anything", Connection(URL)) == "anything"


def test_what_is_too_short_to_be_a_secret_tears_nothing_to_pieces() -> None:
    """A password of one letter is not masked, because that would mask the letter everywhere."""
    assert redacted("a cluster", Connection(URL, username="u", password="a")) == "a cluster"


def test_a_key_that_is_no_pair_is_masked_too() -> None:
    """The API key of a serverless project, which cannot be decoded, is masked."""
    key = "essu_//////////////////////8="
    assert redacted(f"[{key}]", Connection(URL, api_key=key)) == f"[{MASK}]"


def test_a_cause_is_left_out_of_a_traceback_when_it_would_tell() -> None:
    """An exception whose text contains a secret or a whole response is replaced by its class name in a traceback."""
    connection = Connection(URL, username="u", password="p4ssw0rd")
    for text in ("got p4ssw0rd", "x" * LONGEST_TRACEBACK):
        cause = printable(ValueError(text), connection)
        assert isinstance(cause, RedactedError)
        assert str(cause).startswith("ValueError")
    plain = ValueError("nothing of it")
    assert printable(plain, connection) is plain
