"""A look at a port that hung up on plain http, which one that wants TLS does."""

import socket
import ssl


def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Tell whether a TLS handshake is answered as such; nothing is sent over it, so nothing is verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), seconds) as raw, context.wrap_socket(raw, server_hostname=host):
            return True
    except ssl.SSLError as error:
        # Only a TLS server sends an alert.
        return "ALERT" in (error.reason or "")
    except (OSError, ValueError):
        return False
