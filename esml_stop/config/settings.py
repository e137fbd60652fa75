"""Settings with their sources, normalized, before files are read and values are checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from esml_stop.errors import ConfigError

ADDRESS = ("url", "cloud_id")
FILE = ("profile", "config_file")
KEY = ("api_key", "api_key_file", "bearer_token")
LOGIN = ("username", "password", "password_file")
TRUST = ("ca_certs", "ssl_fingerprint", "insecure")
TLS = (*TRUST, "client_cert", "client_key")

# What settings of higher precedence replace: if one of the first is given, all of the second are dropped below it.
OVERRIDES = (
    (ADDRESS, (*ADDRESS, *FILE)),
    (FILE, (*ADDRESS, *KEY, *LOGIN)),
    (KEY, (*KEY, *LOGIN)),
    (("username",), (*KEY, "username")),
    (("password", "password_file"), (*KEY, "password", "password_file")),
    (TRUST, TRUST),
    (("client_cert",), ("client_cert", "client_key")),
)


# esml's own environment variables.
OWN = {
    "ESML_URL": "url",
    "ESML_CLOUD_ID": "cloud_id",
    "ESML_API_KEY": "api_key",
    "ESML_API_KEY_FILE": "api_key_file",
    "ESML_USERNAME": "username",
    "ESML_PASSWORD": "password",
    "ESML_PASSWORD_FILE": "password_file",
    "ESML_CA_CERTS": "ca_certs",
    "ESML_SSL_FINGERPRINT": "ssl_fingerprint",
    "ESML_CLIENT_CERT": "client_cert",
    "ESML_CLIENT_KEY": "client_key",
    "ESML_INSECURE": "insecure",
    "ESML_PROFILE": "profile",
    "ESML_CONFIG_FILE": "config_file",
}


class ConnectionOptions(NamedTuple):
    """The connection options as given on the command line; a missing option is None."""

    url: str | None = None
    cloud_id: str | None = None
    api_key_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    ca_certs: str | None = None
    ssl_fingerprint: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool | None = None
    profile: str | None = None
    config_file: str | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the options as words of a command line; a --url with credentials is left out."""
        given = ((name, value) for name, value in self.given().items() if "@" not in value or name != "url")
        return tuple(
            word for name, value in given for word in ([flag(name)] if name == "insecure" else [flag(name), value])
        )

    def given(self) -> dict[str, str]:
        """Return the options that were given."""
        return {name: "1" if value is True else value for name, value in self._asdict().items() if value}


class Block(NamedTuple):
    """A change that a command policy does not allow: where the policy is, the command, and the rule."""

    owner: str
    command: str
    rule: str

    @property
    def sentence(self) -> str:
        """Return the sentence that says which rule blocks the change."""
        return f"The command policy of {self.owner} does not allow {self.command} ({self.rule})."


@dataclass(frozen=True, slots=True)
class Settings:
    """Values by name, and a description of where each was found.

    `unresolved` names the values that still contain expressions because no program was run for them. `blocked` holds
    the changes (stop, start) that the profile's command policy does not allow.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    unresolved: frozenset[str] = frozenset()
    blocked: Mapping[str, Block] = field(default_factory=dict)

    @property
    def has_address(self) -> bool:
        """Return whether they contain the address of a cluster."""
        return self.has_any(ADDRESS)

    def has_any(self, names: Iterable[str]) -> bool:
        """Return whether one of these settings is given."""
        return any(name in self.values for name in names)

    def only(self, names: Iterable[str]) -> "Settings":
        """Return the settings that have these names."""
        kept = {name: self.values[name] for name in names if name in self.values}
        sources = {name: self.sources[name] for name in kept}
        return Settings(kept, sources, self.warnings, self.unresolved & kept.keys(), self.blocked)

    def override(self, other: "Settings") -> "Settings":
        """Return both combined; these settings take precedence over the others.

        A credential or an address here also drops credentials or addresses of a different kind there (OVERRIDES).
        """
        dropped = {name for above, below in OVERRIDES if self.has_any(above) for name in below}
        kept = other.only(name for name in other.values if name not in dropped)
        return Settings(
            {**kept.values, **self.values},
            {**kept.sources, **self.sources},
            (*other.warnings, *self.warnings),
            self.unresolved | (kept.unresolved - self.values.keys()),
            {**other.blocked, **self.blocked},
        )


def flag(name: str) -> str:
    """Return the command line option for a setting."""
    return f"--{name.replace('_', '-')}"


def from_options(options: ConnectionOptions) -> Settings:
    """Return the settings from the options."""
    given = {name: unwrapped(value) for name, value in options.given().items()}
    return Settings(given, {name: flag(name) for name in given})


def unwrapped(text: str) -> str:
    """Return a value without surrounding whitespace and quotes, which files, CI systems and .env readers often add."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].strip()
    return text


TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
PARTS = {"hosts", "path_prefix", "api_key_id", "api_key_secret", "verify_certs"}


def normalized(found: Settings) -> Settings:
    """Return settings in esml's own form: one URL list, one API key, and `insecure` only if it is true."""
    values, sources = dict(found.values), dict(found.sources)
    if "hosts" in values:
        values["url"], sources["url"] = ",".join(values["hosts"].replace(",", " ").split()), sources["hosts"]
    if "url" in values and "path_prefix" in values:
        values["url"] = with_prefix(values["url"], values["path_prefix"])
        sources["url"] = f"{sources['url']} and {sources['path_prefix']}"
    if {"api_key_id", "api_key_secret"} <= values.keys() and "api_key" not in values:
        values["api_key"] = f"{values['api_key_id']}:{values['api_key_secret']}"
        sources["api_key"] = " and ".join(dict.fromkeys((sources["api_key_id"], sources["api_key_secret"])))
    if "verify_certs" in values and not is_true(values["verify_certs"], sources["verify_certs"]):
        values["insecure"], sources["insecure"] = "true", sources["verify_certs"]
    if "insecure" in values and not is_true(values["insecure"], sources["insecure"]):
        del values["insecure"]
    return Settings(values, sources, found.warnings).only(name for name in values if name not in PARTS)


def with_prefix(urls: str, prefix: str) -> str:
    """Return a comma-separated list of URLs, each with the path prefix appended."""
    return ",".join(f"{url.strip().rstrip('/')}/{prefix.strip('/')}" for url in urls.split(","))


def is_true(text: str, source: str) -> bool:
    """Return the value of a boolean setting; raise ConfigError if it is neither true nor false."""
    if text.strip().lower() not in TRUTH:
        raise ConfigError(f"{source} is neither true nor false.")
    return TRUTH[text.strip().lower()]


def own_settings(environment: Mapping[str, str]) -> Settings:
    """Return the ESML_* settings."""
    return normalized(raw_settings(OWN, environment))


def raw_settings(names: Mapping[str, str], environment: Mapping[str, str]) -> Settings:
    """Return the values of the variables that are set; of two with the same setting, the first one counts."""
    found: dict[str, str] = {}
    for name, setting in names.items():
        if unwrapped(environment.get(name, "")):
            found.setdefault(setting, name)
    return Settings({setting: unwrapped(environment[name]) for setting, name in found.items()}, found)
