"""Explains failed TLS connections, and names the option that would help."""

import re
import ssl
from collections.abc import Sequence

from urllib3.util.ssl_match_hostname import CertificateError

from esml_stop.config.connection import Connection

OTHER_FINGERPRINT = re.compile(r'Fingerprints did not match\..* got "([0-9a-f]+)"(?:.*, "([0-9a-f]+)")?')
EXPIRED = 10
NOT_YET_VALID = 9
OTHER_HOST = {62, 64}  # for a host name, for an address

NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
WANTS_CERTIFICATE = {"TLSV13_ALERT_CERTIFICATE_REQUIRED"}
REFUSES_CERTIFICATE = {
    "TLSV1_ALERT_UNKNOWN_CA",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "TLSV1_ALERT_ACCESS_DENIED",
}
TOO_OLD = {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"}


def explain(found: Sequence[BaseException], connection: Connection) -> tuple[str, str]:
    """Return a sentence and a hint about a failed TLS connection, from the chain of errors."""
    where, text = connection.label, str(found[-1])
    if other := next(filter(None, (OTHER_FINGERPRINT.search(str(one)) for one in found)), None):
        return f"The certificate of {where} has a different fingerprint: {other[1]}.", fingerprint_hint(other[2])
    refused = next((one for one in found if isinstance(one, ssl.SSLCertVerificationError)), None)
    if refused:
        return certificate_error(refused, connection)
    if any(isinstance(one, CertificateError) for one in found):
        return f"The certificate of {where} is for another host: {text}.", OTHER_NAME
    return handshake_error(reasons(found), text, connection)


def fingerprint_hint(ca: str | None) -> str:
    """Return a hint about the fingerprints that --ssl-fingerprint accepts.

    `ca` is the fingerprint of the CA's certificate, if the node sends it.
    """
    if ca:
        return f"--ssl-fingerprint must be that of the node's certificate, as above, or of its CA: {ca}."
    return NODE_ALONE


NODE_ALONE = (
    "--ssl-fingerprint must be that of the node's own certificate, as above. What Elasticsearch shows when it first "
    "starts is its CA's; this node does not send its CA, so pass that with --ca-certs FILE."
)
OTHER_NAME = "Use a host that the certificate names in --url, or trust just this certificate with --ssl-fingerprint."


def reasons(causes: Sequence[BaseException]) -> set[str]:
    """Return OpenSSL's reason codes, such as WRONG_VERSION_NUMBER, of all TLS errors."""
    return {one.reason for one in causes if isinstance(one, ssl.SSLError) and one.reason}


def certificate_error(error: ssl.SSLCertVerificationError, connection: Connection) -> tuple[str, str]:
    """Return a sentence and a hint about the rejected certificate of the cluster."""
    where = connection.label
    if error.verify_code in OTHER_HOST:
        return f"The certificate of {where} is for another host: {error.verify_message.rstrip('.')}.", OTHER_NAME
    if error.verify_code == EXPIRED:
        return f"The certificate of {where} has expired.", RENEW
    if error.verify_code == NOT_YET_VALID:
        return f"The certificate of {where} is not valid yet.", "Check the clock of this machine."
    given = f"is not signed by the CA in {connection.ca_certs}" if connection.ca_certs else "cannot be trusted"
    return f"The certificate of {where} {given}: {error.verify_message}.", TRUST_CA


RENEW = "Renew it on the cluster; until then, trust just this certificate with --ssl-fingerprint."
TRUST_CA = "Pass the cluster's CA with --ca-certs FILE, or its SHA-256 fingerprint with --ssl-fingerprint."


def handshake_error(names: set[str], text: str, connection: Connection) -> tuple[str, str]:
    """Return a sentence and a hint about a TLS connection that failed, but not because of the cluster's certificate."""
    where = connection.label
    if names & NO_TLS:
        return f"{where} does not speak TLS.", "Use http:// in --url if TLS is disabled on the cluster."
    if names & WANTS_CERTIFICATE or (names & REFUSES_CERTIFICATE and not connection.client_cert):
        return f"{where} requires a client certificate.", "Pass it with --client-cert FILE and --client-key FILE."
    if names & REFUSES_CERTIFICATE:
        return f"{where} rejected the client certificate.", NOT_ACCEPTED
    if names & TOO_OLD:
        return f"{where} only speaks TLS older than 1.2.", "Update the cluster; esml does not support older versions."
    if "EOF occurred" in text:
        hint = NOT_ACCEPTED if connection.client_cert else CLIENT_CERT_HINT
        return f"{where} closed the TLS connection before it responded.", hint
    detail = ", ".join(sorted(names)).replace("_", " ").lower() or text
    return (
        f"Could not establish a TLS connection to {where}: {detail}.",
        "Check https:// in --url, --ca-certs and --client-cert.",
    )


NOT_ACCEPTED = "Check that the certificate of --client-cert is from a CA that the cluster trusts, and has not expired."
CLIENT_CERT_HINT = "If it requires a client certificate, pass it with --client-cert FILE and --client-key FILE."
