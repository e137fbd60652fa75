"""The families of environment names; an empty variable counts as not set."""

from collections.abc import Mapping

from esml_stop.config.settings import Settings

OWN = {
    "url": "ESML_URL",
    "cloud_id": "ESML_CLOUD_ID",
    "api_key": "ESML_API_KEY",
    "api_key_file": "ESML_API_KEY_FILE",
    "username": "ESML_USERNAME",
    "password": "ESML_PASSWORD",
    "password_file": "ESML_PASSWORD_FILE",
    "ca_certs": "ESML_CA_CERTS",
    "ssl_fingerprint": "ESML_SSL_FINGERPRINT",
    "client_cert": "ESML_CLIENT_CERT",
    "client_key": "ESML_CLIENT_KEY",
    "insecure": "ESML_INSECURE",
}

# Names that other tools already use, in the order they are looked at; each family is taken as a whole.
OTHER_FAMILIES: tuple[dict[str, str], ...] = ()


def own_settings(environment: Mapping[str, str]) -> Settings:
    """Return the ESML_* settings."""
    return from_environment(OWN, environment)


def from_environment(names: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """Return the settings of one family of names."""
    found = {name: environment[variable] for name, variable in names.items() if environment.get(variable)}
    if found.get("insecure", "").lower() in {"0", "false", "no"}:
        del found["insecure"]
    return Settings(found, {name: names[name] for name in found})
