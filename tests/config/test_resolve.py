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


def found(environment: dict[str, str], **options: str | bool) -> Connection:
    """Return the connection from options and environment."""
    return resolve(ConnectionOptions(**options), environment)  # type: ignore[arg-type]


def said(environment: dict[str, str], **options: str | bool) -> str:
    """Return the error text for settings that are not a connection."""
    with pytest.raises(ConfigError) as wrong:
        found(environment, **options)
    return f"{wrong.value.message} {wrong.value.hint}"


def test_options_win_over_variables_win_over_profiles(home: dict[str, str]) -> None:
    """Options take precedence over variables, and variables over profiles, each as a whole connection."""
    assert found(home).hosts == ("https://prod:9200",)
    home |= {"ES_URL": "https://es:9200"}
    assert found(home).hosts == ("https://es:9200",)
    home |= {"ESML_URL": "https://own:9200"}
    assert found(home).hosts == ("https://own:9200",)
    assert found(home, url="https://option:9200").hosts == ("https://option:9200",)


def test_no_key_goes_to_another_family_s_url(home: dict[str, str]) -> None:
    """An address without credentials gets none from a source of lower precedence."""
    home |= {"ES_API_KEY": "es-id:es-key", "ELASTICSEARCH_URL": "https://x:9200"}
    assert found(home).secrets == ()
    assert found({**home, "ESML_URL": "https://own:9200"}).secrets == ()
    assert found(home, url="https://option:9200").secrets == ()


@pytest.mark.parametrize("below", [{}, {"ES_URL": "https://es:9200"}])
def test_a_key_of_ours_does_not_go_to_an_address_from_below(home: dict[str, str], below: dict[str, str]) -> None:
    """An ESML_* key is not sent to an address from another tool's settings; this is an error."""
    text = said({**home, **below, "ESML_API_KEY": "a:b"})
    assert "ESML_API_KEY is given, but the cluster's address only comes from" in text
    assert "Give the address with --url or ESML_URL too." in text
    assert "--username is given" in said({**home, **below}, username="u")


def test_what_is_trusted_may_be_added_to_any_family(home: dict[str, str], tmp_path: Path) -> None:
    """TLS settings can be combined with any source, and each keeps its own source in the report."""
    for environment in (home, {**home, "ES_URL": "https://es:9200"}):
        connection = found({**environment, "ESML_SSL_FINGERPRINT": "ab" * 32})
        assert connection.ssl_fingerprint == "ab" * 32
        assert connection.sources["ssl_fingerprint"] == "ESML_SSL_FINGERPRINT"
    assert not found(home, profile="dev", insecure=True).verify_certs


def test_a_profile_that_is_asked_for_wins_over_every_variable(home: dict[str, str]) -> None:
    """A selected profile ignores all ESML_* addresses and credentials."""
    home |= {"ESML_URL": "https://own:9200", "ESML_API_KEY": "a:b", "ES_URL": "https://es:9200"}
    connection = found(home, profile="dev")
    assert (connection.hosts, connection.username, connection.api_key) == (("https://dev:9200",), "u", None)
    assert found({**home, "ESML_URL": "", "ESML_API_KEY": "", "ESML_PROFILE": "dev"}).username == "u"


@pytest.mark.parametrize(
    ("options", "environment", "says"),
    [
        ({"profile": "dev", "url": "https://x"}, {}, "--url and --profile cannot be used together."),
        ({"profile": "dev", "username": "x"}, {}, "--username and --profile cannot be used together."),
        ({"config_file": "f", "api_key_file": "-"}, {}, "--api-key-file and --config-file cannot be used together."),
        ({}, {"ESML_PROFILE": "dev", "ESML_URL": "https://x"}, "ESML_URL and ESML_PROFILE cannot be used together."),
        ({"username": "x"}, {"ESML_PROFILE": "dev"}, "--username and ESML_PROFILE cannot be used together."),
    ],
)
def test_a_profile_brings_its_own_address_and_credentials(
    home: dict[str, str], options: dict[str, str], environment: dict[str, str], says: str
) -> None:
    """A profile and an address or credentials from the same source are rejected."""
    assert says in said({**home, **environment}, **options)


def test_an_address_by_option_leaves_out_a_profile_by_variable(home: dict[str, str]) -> None:
    """An address by option takes precedence over ESML_PROFILE."""
    assert found({**home, "ESML_PROFILE": "dev"}, url="https://option:9200").hosts == ("https://option:9200",)


def test_nothing_found_says_three_ways() -> None:
    """Without a cluster, the error suggests three ways and names settings that are not sufficient."""
    text = said({})
    assert "No cluster is configured." in text
    assert all(way in text for way in ("--url https://HOST:9200", "ESML_URL", "esml sandbox --"))
    assert "No cluster is configured: ES_API_KEY is set, but no URL." in said({"ES_API_KEY": "x"})
    assert "No cluster is configured: --username is set, but no URL." in said({}, username="u")


def test_a_broken_file_is_only_read_when_it_is_needed(home: dict[str, str]) -> None:
    """An invalid configuration file is no problem if the address comes from elsewhere."""
    (Path(home["HOME"]) / ".elasticrc.yml").write_text("{")
    assert found({**home, "ESML_URL": "https://own:9200"}).hosts == ("https://own:9200",)
    assert "is not valid YAML" in said(home)


def test_what_was_there_and_not_used_is_told(home: dict[str, str]) -> None:
    """Unused variables of other tools and an unused configuration file are listed by name."""
    home |= {"ES_URL": "https://es:9200", "ES_PATH_PREFIX": "/p", "ES_LOCAL_PASSWORD": "x", "ESML_CA_CERTS": ""}
    file = "~/.elasticrc.yml"
    assert not_used(found(home), home) == ("ES_LOCAL_PASSWORD", file)
    home |= {"ESML_URL": "https://own:9200"}
    assert not_used(found(home), home) == ("ES_URL", "ES_PATH_PREFIX", "ES_LOCAL_PASSWORD", file)
    assert not_used(found(home, profile="dev"), home)[-1] == "ES_LOCAL_PASSWORD"


def built(warnings: tuple[str, ...] = (), **values: str) -> Connection:
    """Return the connection from settings whose sources are their names."""
    settings = Settings(values, {name: name.upper() for name in values}, warnings)
    return build(settings, stdin=None, prompt=lambda _: "typed")


def test_settings_make_a_connection() -> None:
    """A connection contains its settings, each with its source."""
    found = built(url="https://a:1,https://b:2", username="u", password="p", ssl_fingerprint="AB" * 32)
    assert found.hosts == ("https://a:1", "https://b:2")
    assert (found.username, found.password, found.ssl_fingerprint) == ("u", "p", "ab" * 32)
    assert found.verify_certs
    assert found.sources == {
        "url": "URL",
        "username": "USERNAME",
        "password": "PASSWORD",
        "ssl_fingerprint": "SSL_FINGERPRINT",
    }
    assert found.warnings == ()


def test_a_cloud_id_makes_its_host() -> None:
    """A cloud ID determines the host, and is kept."""
    text = f"my:{base64.b64encode(b'eu.example.com$abc$').decode()}"
    found = built(cloud_id=text)
    assert (found.hosts, found.cloud_id, found.label) == (
        ("https://abc.eu.example.com:443",),
        text,
        "https://abc.eu.example.com:443",
    )


def test_an_address_and_a_cloud_id_exclude_each_other() -> None:
    """An address and a cloud ID cannot be used together."""
    with pytest.raises(ConfigError, match="URL and CLOUD_ID cannot be used together"):
        built(url="https://a", cloud_id="x")


def test_where_credentials_came_from_is_told_in_words() -> None:
    """The source of credentials is described: URL, file or prompt."""
    assert built(url="https://u:p@a").sources["password"] == "the URL in URL"
    assert built(url="https://a", username="u").sources["password"] == "prompt"
    assert "username" not in built(url="https://a").sources


def test_verification_off_warns_each_time() -> None:
    """Disabled verification causes a warning, in addition to warnings of the file."""
    found = built(("first",), url="https://a", insecure="true")
    assert not found.verify_certs
    assert found.warnings == ("first", "INSECURE: the cluster's certificate is not verified.")


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
def test_credentials_in_the_clear_warn(values: dict[str, str], warns: bool) -> None:
    """Credentials over http to another machine cause a warning."""
    text = "Credentials are sent without encryption to http://far:1; use https://."
    assert built((), **values).warnings == ((text,) if warns else ())


def test_a_password_in_url_option_warns() -> None:
    """A password in --url causes a warning; one in a variable, or a user name alone, does not."""
    for source, url, warns in (
        ("--url", "https://u:p@h", True),
        ("--url", "https://u@h", False),
        ("ESML_URL", "https://u:p@h", False),
    ):
        found = build(Settings({"url": url}, {"url": source}), stdin=None, prompt=None)
        assert any("--url" in line for line in found.warnings) is warns


def test_the_login_of_a_proxy_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login of a proxy is masked in texts and not part of any repr."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hid%2Fden@p:1")
    found = built(url="https://a:1,https://b:2")
    assert {"me:hid/den", "hid/den"} <= set(found.secrets)
    assert set(found.proxies) == {"https://a:1", "https://b:2"}
    assert not found.has_credentials
    assert "hid" not in repr(found)


def test_what_was_not_read_is_not_checked() -> None:
    """Values of expressions that were not resolved are not validated."""
    values = {"url": "$(cmd:...)", "api_key": "$(pass:elastic/key)"}
    settings = Settings(values, dict.fromkeys(values, "FILE"), unresolved=frozenset(values))
    found = build(settings, stdin=None, prompt=None)
    assert (found.hosts, found.api_key, found.unresolved) == (("$(cmd:...)",), "$(pass:elastic/key)", frozenset(values))


def test_no_secret_is_in_a_repr() -> None:
    """repr() of a connection and its parts shows no secret."""
    assert "hidden" not in repr(built(url="https://user:hidden@h"))
    assert "hidden" not in repr(built(url="https://h", bearer_token="hidden"))
