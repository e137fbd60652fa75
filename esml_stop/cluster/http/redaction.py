"""Text of a server that repeats our own secrets, without them."""

import base64
import binascii
import traceback
from urllib.parse import quote

from esml_stop.config.connection import Connection

MASK = "***"

# Shorter ones are no secrets to speak of, and would tear every text to pieces.
SHORTEST = 4


# A traceback with more than this is a whole answer.
LONGEST_TRACEBACK = 20_000


class LeftOut(Exception):
    """Stands in a traceback for an error whose text is the server's and should not be shown."""


def redacted(text: str, connection: Connection) -> str:
    """Return text with every form of the connection's secrets masked."""
    for form in sorted(forms(connection), key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def printable(error: Exception, connection: Connection) -> Exception:
    """Return an error as the cause of another one: itself, unless its traceback would show what it should not."""
    text = "".join(traceback.format_exception(error))
    if len(text) <= LONGEST_TRACEBACK and redacted(text, connection) == text:
        return error
    return LeftOut(f"{type(error).__name__}; it repeats a secret or a whole answer")


def forms(connection: Connection) -> set[str]:
    """Return the secrets as they are, as they travel in a header, and as they stand in a URL."""
    found = set(connection.secrets)
    found |= {base64.b64encode(one.login.encode()).decode() for one in connection.proxies.values() if one.login}
    if connection.username is not None and connection.password:
        found.add(base64.b64encode(f"{connection.username}:{connection.password}".encode()).decode())
    if connection.api_key:
        found |= parts_of_key(connection.api_key)
    found |= {one.rstrip("=") for one in found}
    quoted = {quote(one, safe="") for one in found}
    return {one for one in found | quoted if len(one) >= SHORTEST}


def parts_of_key(key: str) -> set[str]:
    """Return what an encoded API key decodes to, and the secret half of that."""
    try:
        decoded = base64.b64decode(key + "=" * (-len(key) % 4)).decode()
    except (binascii.Error, ValueError):
        return set()
    return {decoded, decoded.partition(":")[2]} - {""}
