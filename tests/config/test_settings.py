import pytest

from esml_stop.config.settings import ConnectionOptions, Settings, from_options


def of(**values: str) -> Settings:
    """Return settings whose sources are their names."""
    return Settings(values, {name: name for name in values})


def test_options_that_were_given_are_settings() -> None:
    """Each given option is a setting with the option as its source; other settings are missing."""
    found = from_options(ConnectionOptions(url="http://h", ca_certs="ca", insecure=True))
    assert found.values == {"url": "http://h", "ca_certs": "ca", "insecure": "1"}
    assert found.sources == {"url": "--url", "ca_certs": "--ca-certs", "insecure": "--insecure"}


def test_the_options_can_be_typed_again() -> None:
    """The options can be repeated in a suggested command, without a URL that contains credentials."""
    options = ConnectionOptions(insecure=True, profile="prod", config_file="my file.yml", username="u@example.com")
    assert options.arguments == (
        *("--username", "u@example.com", "--insecure", "--profile", "prod"),
        *("--config-file", "my file.yml"),
    )
    assert ConnectionOptions(url="http://u:secret@h").arguments == ()


@pytest.mark.parametrize(
    ("above", "below", "left"),
    [
        ({"url": "a"}, {"url": "b"}, {"url": "a"}),
        ({"url": "a"}, {"cloud_id": "b", "api_key": "k"}, {"url": "a", "api_key": "k"}),
        ({"url": "a"}, {"profile": "p", "config_file": "f"}, {"url": "a"}),
        (
            {"profile": "p"},
            {"url": "b", "api_key": "k", "username": "u", "ca_certs": "c"},
            {"profile": "p", "ca_certs": "c"},
        ),
        ({"profile": "p"}, {"config_file": "f", "profile": "q"}, {"profile": "p", "config_file": "f"}),
        ({"api_key_file": "f"}, {"api_key": "k", "username": "u", "password": "p"}, {"api_key_file": "f"}),
        ({"username": "u"}, {"api_key": "k", "username": "v", "password": "p"}, {"username": "u", "password": "p"}),
        ({"password_file": "f"}, {"username": "u", "password": "p"}, {"password_file": "f", "username": "u"}),
        ({"ca_certs": "c"}, {"insecure": "1"}, {"ca_certs": "c"}),
        ({"insecure": "1"}, {"ca_certs": "c", "client_cert": "d"}, {"insecure": "1", "client_cert": "d"}),
        ({"ssl_fingerprint": "f"}, {"ca_certs": "c"}, {"ssl_fingerprint": "f"}),
        ({"client_cert": "c"}, {"client_cert": "d", "client_key": "k"}, {"client_cert": "c"}),
    ],
)
def test_what_is_given_above_takes_the_place_of_its_kind(
    above: dict[str, str], below: dict[str, str], left: dict[str, str]
) -> None:
    """An address, credential or TLS setting replaces all others of its kind, and nothing else."""
    assert of(**above).override(of(**below)).values == left


def test_sources_follow_the_values() -> None:
    """Each value keeps its source, and all warnings are kept."""
    upper = Settings({"url": "a"}, {"url": "--url"}, ("one",))
    lower = Settings({"url": "b", "api_key": "k"}, {"url": "ESML_URL", "api_key": "ESML_API_KEY"}, ("two",))
    both = upper.override(lower)
    assert both.sources == {"url": "--url", "api_key": "ESML_API_KEY"}
    assert both.warnings == ("two", "one")


def test_values_are_in_no_repr() -> None:
    """repr() shows the sources of settings, but no values."""
    assert "hidden" not in repr(of(api_key="hidden"))
