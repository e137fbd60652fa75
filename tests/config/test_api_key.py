import base64
import json

import pytest

from esml_stop.config.api_key import encode, key_id
from esml_stop.config.resolve import build
from esml_stop.config.settings import own_settings
from esml_stop.errors import ConfigError

ID, KEY = "VuaCfGcBCdbkQm-e5aOx", "ui2lp2axTNmsyakw9tvNnA"
ENCODED = base64.b64encode(f"{ID}:{KEY}".encode()).decode()
RESPONSE = {"id": ID, "name": "ci", "expiration": None, "api_key": KEY, "encoded": ENCODED}


@pytest.mark.parametrize(
    "text",
    [
        ENCODED,
        ENCODED.rstrip("="),
        f"{ID}:{KEY}",
        json.dumps(RESPONSE),
        json.dumps(RESPONSE, indent=2),
        json.dumps({"id": ID, "api_key": KEY}),
    ],
)
def test_an_api_key_is_accepted_in_each_form(text: str) -> None:
    """An API key can be encoded, a pair, or the JSON response of the call that created it, compact or indented."""
    assert encode(text, "S").rstrip("=") == ENCODED.rstrip("=")
    assert key_id(encode(text, "S")) == ID


@pytest.mark.parametrize("template", ["{}\n", "  {}\r\n\r\n", '"{}"', "'{}'\n", '\n"{}"\n'])
@pytest.mark.parametrize("text", [ENCODED, f"{ID}:{KEY}", json.dumps(RESPONSE, indent=2)])
def test_white_space_and_quotes_around_an_api_key_are_removed(template: str, text: str) -> None:
    """White space, line breaks and quotes around an API key are removed."""
    found = own_settings({"ESML_URL": "https://h", "ESML_API_KEY": template.format(text)})
    assert build(found, stdin=None, prompt=None).api_key == ENCODED


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_an_invalid_api_key_is_rejected_without_its_value(text: str, message: str) -> None:
    """Half a key, a key encoded twice, invalid characters and other JSON are rejected without repeating the value."""
    with pytest.raises(ConfigError) as raised:
        encode(text, "ESML_API_KEY")
    assert raised.value.message.startswith("ESML_API_KEY ")
    assert message in raised.value.message
    assert not any(part in f"{raised.value.message}{raised.value.hint}" for part in (ID, KEY, ENCODED))


def test_a_cloud_api_key_is_used_unchanged() -> None:
    """A long key that is not a pair, as on Elastic Cloud, is used unchanged."""
    assert encode("essu_" + "A" * 60, "S") == "essu_" + "A" * 60
