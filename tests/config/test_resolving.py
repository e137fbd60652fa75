from pathlib import Path

import pytest

from esml_stop.config.connection import Connection
from esml_stop.config.resolve import not_used, resolve
from esml_stop.config.settings import ConnectionOptions
from esml_stop.errors import ConfigError

PROFILES = """
current_context: prod
contexts:
  prod: {elasticsearch: {url: "https://prod:9200", auth: {api_key: "prod-id:prod-key"}}}
  dev: {elasticsearch: {url: "https://dev:9200", auth: {username: u, password: p}}}
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a file of profiles at home."""
    (tmp_path / ".elasticrc.yml").write_text(PROFILES)
    (tmp_path / ".elasticrc.yml").chmod(0o600)
    return {"HOME": str(tmp_path)}


def found(environment: dict[str, str], **options: str | bool) -> Connection:
    """Return the connection that options and environment make."""
    return resolve(ConnectionOptions(**options), environment)  # type: ignore[arg-type]


def said(environment: dict[str, str], **options: str | bool) -> str:
    """Return what is said about settings that make none."""
    with pytest.raises(ConfigError) as wrong:
        found(environment, **options)
    return f"{wrong.value.message} {wrong.value.hint}"


def test_options_win_over_variables_win_over_profiles(home: dict[str, str]) -> None:
    """Each step up takes the whole connection."""
    assert found(home).hosts == ("https://prod:9200",)
    home |= {"ES_URL": "https://es:9200"}
    assert found(home).hosts == ("https://es:9200",)
    home |= {"ESML_URL": "https://own:9200"}
    assert found(home).hosts == ("https://own:9200",)
    assert found(home, url="https://option:9200").hosts == ("https://option:9200",)


def test_no_key_goes_to_another_family_s_url(home: dict[str, str]) -> None:
    """An address without credentials gets none from below."""
    home |= {"ES_API_KEY": "es-id:es-key", "ELASTICSEARCH_URL": "https://x:9200"}
    assert found(home).secrets == ()
    assert found({**home, "ESML_URL": "https://own:9200"}).secrets == ()
    assert found(home, url="https://option:9200").secrets == ()


@pytest.mark.parametrize("below", [{}, {"ES_URL": "https://es:9200"}])
def test_a_key_of_ours_does_not_go_to_an_address_from_below(home: dict[str, str], below: dict[str, str]) -> None:
    """It is refused rather than sent or dropped."""
    text = said({**home, **below, "ESML_API_KEY": "a:b"})
    assert "ESML_API_KEY is given, but the cluster's address only comes from" in text
    assert "Give the address with --url or ESML_URL too." in text
    assert "--username is given" in said({**home, **below}, username="u")


def test_what_is_trusted_may_be_added_to_any_family(home: dict[str, str], tmp_path: Path) -> None:
    """No other tool has names for all of it, and it is no secret; the source of each stays visible."""
    for environment in (home, {**home, "ES_URL": "https://es:9200"}):
        connection = found({**environment, "ESML_SSL_FINGERPRINT": "ab" * 32})
        assert connection.ssl_fingerprint == "ab" * 32
        assert connection.sources["ssl_fingerprint"] == "ESML_SSL_FINGERPRINT"
    assert not found(home, profile="dev", insecure=True).verify_certs


def test_a_profile_that_is_asked_for_wins_over_every_variable(home: dict[str, str]) -> None:
    """It is a whole connection: ESML_* addresses and credentials do not reach into it."""
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
    """What stands beside it on the same level is refused."""
    assert says in said({**home, **environment}, **options)


def test_an_address_by_option_leaves_out_a_profile_by_variable(home: dict[str, str]) -> None:
    """An option wins over the variable."""
    assert found({**home, "ESML_PROFILE": "dev"}, url="https://option:9200").hosts == ("https://option:9200",)


def test_nothing_found_says_three_ways() -> None:
    """And names what is there but is not enough."""
    text = said({})
    assert "No cluster is configured." in text
    assert all(way in text for way in ("--url https://HOST:9200", "ESML_URL", "esml sandbox --"))
    assert "No cluster is configured: ES_API_KEY is set, but no URL." in said({"ES_API_KEY": "x"})
    assert "No cluster is configured: --username is set, but no URL." in said({}, username="u")


def test_a_broken_file_is_only_read_when_it_is_needed(home: dict[str, str]) -> None:
    """With an address from elsewhere nobody looks at it."""
    (Path(home["HOME"]) / ".elasticrc.yml").write_text("{")
    assert found({**home, "ESML_URL": "https://own:9200"}).hosts == ("https://own:9200",)
    assert "is not valid YAML" in said(home)


def test_what_was_there_and_not_used_is_told(home: dict[str, str]) -> None:
    """Variables of other families and the file at home, by name only."""
    home |= {"ES_URL": "https://es:9200", "ES_PATH_PREFIX": "/p", "ES_LOCAL_PASSWORD": "x", "ESML_CA_CERTS": ""}
    file = "~/.elasticrc.yml"
    assert not_used(found(home), home) == ("ES_LOCAL_PASSWORD", file)
    home |= {"ESML_URL": "https://own:9200"}
    assert not_used(found(home), home) == ("ES_URL", "ES_PATH_PREFIX", "ES_LOCAL_PASSWORD", file)
    assert not_used(found(home, profile="dev"), home)[-1] == "ES_LOCAL_PASSWORD"
