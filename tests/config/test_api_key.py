import base64
import json

import pytest

from esml_stop.config.api_key import as_sent, key_id
from esml_stop.config.environment import own_settings
from esml_stop.config.resolve import build
from esml_stop.errors import ConfigError

ID, KEY = "VuaCfGcBCdbkQm-e5aOx", "ui2lp2axTNmsyakw9tvNnA"
ENCODED = base64.b64encode(f"{ID}:{KEY}".encode()).decode()
ANSWER = {"id": ID, "name": "ci", "expiration": None, "api_key": KEY, "encoded": ENCODED}


@pytest.mark.parametrize(
    "text",
    [
        ENCODED,
        ENCODED.rstrip("="),
        f"{ID}:{KEY}",
        json.dumps(ANSWER),
        json.dumps(ANSWER, indent=2),
        json.dumps({"id": ID, "api_key": KEY}),
    ],
)
def test_a_key_is_known_in_each_of_its_forms(text: str) -> None:
    """An API key can be encoded, a pair, or the whole response of the call that created it, compact or formatted."""
    assert as_sent(text, "S").rstrip("=") == ENCODED.rstrip("=")
    assert key_id(as_sent(text, "S")) == ID


@pytest.mark.parametrize("around", ["{}\n", "  {}\r\n\r\n", '"{}"', "'{}'\n", '\n"{}"\n'])
@pytest.mark.parametrize("text", [ENCODED, f"{ID}:{KEY}", json.dumps(ANSWER, indent=2)])
def test_what_machines_leave_around_a_key_goes(around: str, text: str) -> None:
    """White space, line breaks and quotes around an API key are removed."""
    found = own_settings({"ESML_URL": "https://h", "ESML_API_KEY": around.format(text)})
    assert build(found, stdin=None, prompt=None).api_key == ENCODED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (base64.b64encode(ENCODED.encode()).decode(), "encoded in base64 twice"),
        (KEY, "only half of one"),
        (ID, "only half of one"),
        (f"{ID}:", "only half of an API key"),
        (f":{KEY}", "only half of an API key"),
        (base64.b64encode(f"{ID}:".encode()).decode(), "only half of an API key"),
        ("ApiKey " + ENCODED, "spaces or characters"),
        (json.dumps({"name": "ci"}), "not the response that contains an API key"),
        (json.dumps({"error": {"reason": KEY}, "status": 400}), "not the response that contains an API key"),
        ("{" + KEY, "not the response that contains an API key"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_it(text: str, says: str) -> None:
    """Half of a key, a key encoded twice and the response of another call are rejected, without repeating the value."""
    with pytest.raises(ConfigError) as wrong:
        as_sent(text, "ESML_API_KEY")
    assert wrong.value.message.startswith("ESML_API_KEY ")
    assert says in wrong.value.message
    assert not any(part in f"{wrong.value.message}{wrong.value.hint}" for part in (ID, KEY, ENCODED))


def test_a_cloud_key_is_taken_as_it_is() -> None:
    """A long key that is not a pair, as on Elastic Cloud, is used unchanged."""
    assert as_sent("essu_" + "A" * 60, "S") == "essu_" + "A" * 60
