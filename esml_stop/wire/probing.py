"""A look at a port that hung up on plain http, which one that wants TLS does."""

import socket
import ssl
from contextlib import suppress

# What every record of TLS begins with: that it is part of a handshake, or an alert.
HANDSHAKE, ALERT = b"\x16", b"\x15"


def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Tell whether the first words of TLS are answered in TLS; nothing more is said, so nothing is verified."""
    try:
        with socket.create_connection((host, port), seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(first_words(host))
            return connection.recv(1) in {HANDSHAKE, ALERT}
    except (OSError, ValueError):
        return False


def first_words(host: str) -> bytes:
    """Return what a TLS client says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sent = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=host).do_handshake()
    return sent.read()
