"""Settings as they were found, before anything is read from files or checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options that say which cluster, as typed; a missing one is None."""

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

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the options again as words of a command line; none of them holds a secret."""
        given = ((name, value) for name, value in self.given().items() if "@" not in value or name != "url")
        return tuple(
            word for name, value in given for word in ([flag(name)] if name == "insecure" else [flag(name), value])
        )

    def given(self) -> dict[str, str]:
        """Return the options that were given."""
        values = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: "1" if value is True else value for name, value in values if value}


@dataclass(frozen=True, slots=True)
class Settings:
    """Values by name, and where each was found, in words."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def names_cluster(self) -> bool:
        """Tell whether they say where the cluster is."""
        return bool({"url", "cloud_id"} & self.values.keys())

    def over(self, other: "Settings") -> "Settings":
        """Return both as one family: where they say the same kind of thing, these win.

        An option of one kind of credential, or of address, leaves out the other kind from below.
        """
        dropped = {name for group in RIVALS if any(name in self.values for name in group) for name in group}
        kept = {name: value for name, value in other.values.items() if name not in dropped}
        return Settings({**kept, **self.values}, {**{name: other.sources[name] for name in kept}, **self.sources})


# Of each group one way is enough; what is given above takes the place of all that is given below.
RIVALS = (
    ("url", "cloud_id"),
    ("api_key", "api_key_file", "username"),
    ("api_key", "api_key_file", "password", "password_file"),
)


def flag(name: str) -> str:
    """Return the option of a setting."""
    return f"--{name.replace('_', '-')}"


def from_options(options: ConnectionOptions) -> Settings:
    """Return the settings that the options make."""
    given = options.given()
    return Settings(given, {name: flag(name) for name in given})
