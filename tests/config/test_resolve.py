import base64
from pathlib import Path

import pytest

from esml_stop.config.connection import Connection
from esml_stop.config.resolve import build, not_used, resolve
from esml_stop.config.settings import ConnectionOptions, Settings
from esml_stop.errors import ConfigError

PROFILES = """
current_context: prod
contexts:
  prod: {elasticsearch: {url: "https://prod:9200", auth: {api_key: "prod-id:prod-key"}}}
  dev: {elasticsearch: {url: "https://dev:9200", auth: {username: u, password: p}}}
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a configuration file in the home directory."""
    (tmp_path / ".elasticrc.yml").write_text(PROFILES)
    (tmp_path / ".elasticrc.yml").chmod(0o600)
    return {"HOME": str(tmp_path)}


def resolved(environment: dict[str, str], **options: str | bool) -> Connection:
    """Return the connection from these options and the environment."""
    return resolve(ConnectionOptions(**options), environment)  # type: ignore[arg-type]


def error_text(environment: dict[str, str], **options: str | bool) -> str:
    """Return the error text for settings that do not form a connection."""
    with pytest.raises(ConfigError) as raised:
        resolved(environment, **options)
    return f"{raised.value.message} {raised.value.hint}"


def test_options_precede_variables_and_variables_precede_profiles(home: dict[str, str]) -> None:
    """--url takes precedence over ESML_URL, that over other tools' variables, and these over the profile."""
    assert resolved(home).hosts == ("https://prod:9200",)
    home |= {"ES_URL": "https://es:9200"}
    assert resolved(home).hosts == ("https://es:9200",)
    home |= {"ESML_URL": "https://own:9200"}
    assert resolved(home).hosts == ("https://own:9200",)
    assert resolved(home, url="https://option:9200").hosts == ("https://option:9200",)


def test_no_credentials_are_sent_to_the_url_of_another_family(home: dict[str, str]) -> None:
    """An address without credentials gets none from a source of lower precedence."""
    home |= {"ES_API_KEY": "es-id:es-key", "ELASTICSEARCH_URL": "https://x:9200"}
    assert resolved(home).secrets == ()
    assert resolved({**home, "ESML_URL": "https://own:9200"}).secrets == ()
    assert resolved(home, url="https://option:9200").secrets == ()


@pytest.mark.parametrize("other", [{}, {"ES_URL": "https://es:9200"}])
def test_esml_credentials_are_not_sent_to_the_url_of_another_family(
    home: dict[str, str], other: dict[str, str]
) -> None:
    """An ESML_* key or --username is an error if the address comes from another tool's variables or a profile."""
    text = error_text({**home, **other, "ESML_API_KEY": "a:b"})
    assert "ESML_API_KEY is given, but the cluster's address only comes from" in text
    assert "Set the address with --url or ESML_URL, too." in text
    assert "--username is given" in error_text({**home, **other}, username="u")


def test_tls_settings_can_be_added_to_any_family(home: dict[str, str], tmp_path: Path) -> None:
    """TLS settings can be combined with an address from any family, and each keeps its own source."""
    for environment in (home, {**home, "ES_URL": "https://es:9200"}):
        connection = resolved({**environment, "ESML_SSL_FINGERPRINT": "ab" * 32})
        assert connection.ssl_fingerprint == "ab" * 32
        assert connection.sources["ssl_fingerprint"] == "ESML_SSL_FINGERPRINT"
    assert not resolved(home, profile="dev", insecure=True).verify_certs


def test_a_selected_profile_precedes_all_variables(home: dict[str, str]) -> None:
    """--profile takes precedence over all variables, and ESML_PROFILE over those of other tools."""
    home |= {"ESML_URL": "https://own:9200", "ESML_API_KEY": "a:b", "ES_URL": "https://es:9200"}
    connection = resolved(home, profile="dev")
    assert (connection.hosts, connection.username, connection.api_key) == (("https://dev:9200",), "u", None)
    assert resolved({**home, "ESML_URL": "", "ESML_API_KEY": "", "ESML_PROFILE": "dev"}).username == "u"


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        ({"profile": "dev", "url": "https://x"}, {}, "--url and --profile cannot be used together."),
        ({"profile": "dev", "username": "x"}, {}, "--username and --profile cannot be used together."),
        ({"config_file": "f", "api_key_file": "-"}, {}, "--api-key-file and --config-file cannot be used together."),
        ({}, {"ESML_PROFILE": "dev", "ESML_URL": "https://x"}, "ESML_URL and ESML_PROFILE cannot be used together."),
        ({"username": "x"}, {"ESML_PROFILE": "dev"}, "--username and ESML_PROFILE cannot be used together."),
    ],
)
def test_a_profile_excludes_an_address_or_credentials(
    home: dict[str, str], options: dict[str, str], environment: dict[str, str], message: str
) -> None:
    """A profile or configuration file cannot be combined with an address or credentials of the same precedence."""
    assert message in error_text({**home, **environment}, **options)


def test_an_address_by_option_precedes_a_profile_by_variable(home: dict[str, str]) -> None:
    """--url takes precedence over ESML_PROFILE."""
    assert resolved({**home, "ESML_PROFILE": "dev"}, url="https://option:9200").hosts == ("https://option:9200",)


def test_without_a_cluster_the_error_suggests_three_ways() -> None:
    """The error for a missing address suggests three ways to set one, and names a setting that was given without it."""
    text = error_text({})
    assert "No cluster is configured." in text
    assert all(way in text for way in ("--url https://HOST:9200", "ESML_URL", "esml sandbox --"))
    assert "No cluster is configured: ES_API_KEY is set, but no URL." in error_text({"ES_API_KEY": "x"})
    assert "No cluster is configured: --username is set, but no URL." in error_text({}, username="u")


def test_an_invalid_file_is_an_error_only_if_it_is_needed(home: dict[str, str]) -> None:
    """An invalid configuration file is an error only if the address does not come from elsewhere."""
    (Path(home["HOME"]) / ".elasticrc.yml").write_text("{")
    assert resolved({**home, "ESML_URL": "https://own:9200"}).hosts == ("https://own:9200",)
    assert "is not valid YAML" in error_text(home)


def test_unused_variables_and_files_are_listed(home: dict[str, str]) -> None:
    """Unused variables of other tools and an unused configuration file are listed by name."""
    home |= {"ES_URL": "https://es:9200", "ES_PATH_PREFIX": "/p", "ES_LOCAL_PASSWORD": "x", "ESML_CA_CERTS": ""}
    file = "~/.elasticrc.yml"
    assert not_used(resolved(home), home) == ("ES_LOCAL_PASSWORD", file)
    home |= {"ESML_URL": "https://own:9200"}
    assert not_used(resolved(home), home) == ("ES_URL", "ES_PATH_PREFIX", "ES_LOCAL_PASSWORD", file)
    assert not_used(resolved(home, profile="dev"), home)[-1] == "ES_LOCAL_PASSWORD"


def built(warnings: tuple[str, ...] = (), **values: str) -> Connection:
    """Return the connection from settings whose sources are their names."""
    settings = Settings(values, {name: name.upper() for name in values}, warnings)
    return build(settings, stdin=None, prompt=lambda _: "typed")


def test_a_connection_contains_its_settings_and_their_sources() -> None:
    """A connection contains its settings, each with its source."""
    connection = built(url="https://a:1,https://b:2", username="u", password="p", ssl_fingerprint="AB" * 32)
    assert connection.hosts == ("https://a:1", "https://b:2")
    assert (connection.username, connection.password, connection.ssl_fingerprint) == ("u", "p", "ab" * 32)
    assert connection.verify_certs
    assert connection.sources == {
        "url": "URL",
        "username": "USERNAME",
        "password": "PASSWORD",
        "ssl_fingerprint": "SSL_FINGERPRINT",
    }
    assert connection.warnings == ()


def test_a_cloud_id_determines_the_host() -> None:
    """A cloud ID determines the host and the label, and is kept in the connection."""
    text = f"my:{base64.b64encode(b'eu.example.com$abc$').decode()}"
    connection = built(cloud_id=text)
    assert (connection.hosts, connection.cloud_id, connection.label) == (
        ("https://abc.eu.example.com:443",),
        text,
        "https://abc.eu.example.com:443",
    )


def test_an_address_and_a_cloud_id_cannot_be_used_together() -> None:
    """An address and a cloud ID cannot be used together."""
    with pytest.raises(ConfigError, match="URL and CLOUD_ID cannot be used together"):
        built(url="https://a", cloud_id="x")


def test_the_source_of_credentials_is_described() -> None:
    """The source of a password is described as a URL or a prompt; without credentials there is none."""
    assert built(url="https://u:p@a").sources["password"] == "the URL in URL"
    assert built(url="https://a", username="u").sources["password"] == "prompt"
    assert "username" not in built(url="https://a").sources


def test_disabled_verification_causes_a_warning() -> None:
    """Disabled certificate verification causes a warning, in addition to the warnings of the settings."""
    connection = built(("first",), url="https://a", insecure="true")
    assert not connection.verify_certs
    assert connection.warnings == ("first", "INSECURE: the cluster's certificate is not verified.")


@pytest.mark.parametrize(
    ("values", "warns"),
    [
        ({"url": "http://far:1", "username": "u", "password": "p"}, True),
        ({"url": "http://u:p@far:1"}, True),
        ({"url": "http://far:1", "api_key": "a:b"}, True),
        ({"url": "http://far:1", "bearer_token": "t"}, True),
        ({"url": "https://a,http://far:1", "api_key": "a:b"}, True),
        ({"url": "http://far:1"}, False),
        ({"url": "https://far:1", "api_key": "a:b"}, False),
        ({"url": "http://localhost:1", "api_key": "a:b"}, False),
        ({"url": "http://127.0.0.1:1", "api_key": "a:b"}, False),
    ],
)
def test_unencrypted_credentials_cause_a_warning(values: dict[str, str], warns: bool) -> None:
    """Credentials over http to another machine cause a warning; over https or to this machine they do not."""
    text = "Credentials are sent without encryption to http://far:1; use https://."
    assert built((), **values).warnings == ((text,) if warns else ())


def test_a_password_in_the_url_option_causes_a_warning() -> None:
    """A password in --url causes a warning; one in a variable, or a user name alone, does not."""
    for source, url, warns in (
        ("--url", "https://u:p@h", True),
        ("--url", "https://u@h", False),
        ("ESML_URL", "https://u:p@h", False),
    ):
        connection = build(Settings({"url": url}, {"url": source}), stdin=None, prompt=None)
        assert any("--url" in line for line in connection.warnings) is warns


def test_the_login_of_a_proxy_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login of a proxy is one of the secrets, is not in the repr, and does not count as credentials."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hid%2Fden@p:1")
    connection = built(url="https://a:1,https://b:2")
    assert {"me:hid/den", "hid/den"} <= set(connection.secrets)
    assert set(connection.proxies) == {"https://a:1", "https://b:2"}
    assert not connection.has_credentials
    assert "hid" not in repr(connection)


def test_unresolved_values_are_not_validated() -> None:
    """Values of expressions that were not resolved are not validated."""
    values = {"url": "$(cmd:...)", "api_key": "$(pass:elastic/key)"}
    settings = Settings(values, dict.fromkeys(values, "FILE"), unresolved=frozenset(values))
    connection = build(settings, stdin=None, prompt=None)
    assert (connection.hosts, connection.api_key, connection.unresolved) == (
        ("$(cmd:...)",),
        "$(pass:elastic/key)",
        frozenset(values),
    )


def test_repr_of_a_connection_shows_no_secret() -> None:
    """repr() of a connection shows no password or token."""
    assert "hidden" not in repr(built(url="https://user:hidden@h"))
    assert "hidden" not in repr(built(url="https://h", bearer_token="hidden"))
