"""Where the connection comes from: for now the ESML_* environment variables."""

import os

from esml_stop.connection import Connection
from esml_stop.errors import ConfigError
from esml_stop.options import ConnectionOptions


def resolve(_: ConnectionOptions) -> Connection:
    """Return the connection that the environment describes."""
    url = os.environ.get("ESML_URL")
    if not url:
        raise ConfigError("Which cluster? Nothing says where it is.", hint="Set ESML_URL.")
    get = os.environ.get
    return Connection(
        hosts=(url,),
        api_key=get("ESML_API_KEY"),
        username=get("ESML_USERNAME"),
        password=get("ESML_PASSWORD"),
        ca_certs=get("ESML_CA_CERTS"),
    )
