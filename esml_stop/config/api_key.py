"""Converts API keys from all common forms to the base64 form that is sent."""

import base64
import binascii
import json
import re

from esml_stop.errors import ConfigError

# Each half of an API key has 20 or 22 characters. Elastic Cloud keys are not `id:key` pairs, but much longer.
LONGER_THAN_HALF = 40
FORM = "Use it as Elasticsearch returned it: the value of `encoded`, `id:api_key`, or the whole JSON response."


def encode(text: str, source: str) -> str:
    """Return an API key in base64; also accepts `id:key` and the JSON response of the call that creates a key.

    Raises ConfigError, which never contains the key, if the text cannot be an API key.
    """
    key = header_safe(from_answer(text, source) if text.startswith("{") else text, source)
    if ":" in key:
        return base64.b64encode(require_both_halves(key, source).encode()).decode()
    found = decoded(key)
    if found and ":" in found:
        require_both_halves(found, source)
        return key
    if found and ":" in (decoded(found) or ""):
        raise ConfigError(f"{source} is an API key that was encoded in base64 twice.", hint=FORM)
    if len(key) < LONGER_THAN_HALF:
        raise ConfigError(f"{source} is not an API key, or only half of one.", hint=FORM)
    return key


def from_answer(text: str, source: str) -> str:
    """Return the key in the JSON response of the call that creates an API key."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if isinstance(answer.get("encoded"), str):
        return str(answer["encoded"])
    if isinstance(answer.get("id"), str) and isinstance(answer.get("api_key"), str):
        return f"{answer['id']}:{answer['api_key']}"
    raise ConfigError(f"{source} is JSON, but not the response that contains an API key.", hint=FORM)


def header_safe(key: str, source: str) -> str:
    """Return a key or token; raise ConfigError if it contains invalid characters."""
    if not re.fullmatch(r"[!-~]+", key.strip()):
        raise ConfigError(f"{source} contains spaces or characters that no API key or token contains.", hint=FORM)
    return key.strip()


def require_both_halves(pair: str, source: str) -> str:
    """Return `id:key`; raise ConfigError if the ID or the key is missing."""
    before, _, after = pair.partition(":")
    if not (before and after):
        raise ConfigError(f"{source} is only half of an API key.", hint=FORM)
    return pair


def decoded(key: str) -> str | None:
    """Return base64-decoded text, or None if it is not valid base64 of printable ASCII."""
    try:
        found = base64.b64decode(key + "=" * (-len(key) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return found if found.isprintable() else None


def key_id(key: str) -> str | None:
    """Return the ID in an encoded API key, or None if it has none; the ID is not secret."""
    before, colon, _ = (decoded(key) or "").partition(":")
    return before if colon else None
