import pytest

from esml_stop.config.settings import ConnectionOptions, Settings, from_options


def settings_with(**values: str) -> Settings:
    """Return settings with these values; the source of each is its name."""
    return Settings(values, {name: name for name in values})


def test_given_options_become_settings() -> None:
    """Each given option becomes a setting with the option as its source; other settings are missing."""
    found = from_options(ConnectionOptions(url="http://h", ca_certs="ca", insecure=True))
    assert found.values == {"url": "http://h", "ca_certs": "ca", "insecure": "1"}
    assert found.sources == {"url": "--url", "ca_certs": "--ca-certs", "insecure": "--insecure"}


def test_options_can_be_repeated_in_a_suggested_command() -> None:
    """The options can be repeated in a suggested command, without a URL that contains credentials."""
    options = ConnectionOptions(insecure=True, profile="prod", config_file="my file.yml", username="u@example.com")
    assert options.arguments == (
        *("--username", "u@example.com", "--insecure", "--profile", "prod"),
        *("--config-file", "my file.yml"),
    )
    assert ConnectionOptions(url="http://u:secret@h").arguments == ()


@pytest.mark.parametrize(
    ("higher", "lower", "combined"),
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
def test_a_setting_replaces_settings_of_its_kind(
    higher: dict[str, str], lower: dict[str, str], combined: dict[str, str]
) -> None:
    """An address, profile, credential or TLS setting replaces those that it conflicts with, and nothing else."""
    assert settings_with(**higher).override(settings_with(**lower)).values == combined


def test_each_value_keeps_its_source() -> None:
    """Each value keeps its source, and all warnings are kept."""
    upper = Settings({"url": "a"}, {"url": "--url"}, ("one",))
    lower = Settings({"url": "b", "api_key": "k"}, {"url": "ESML_URL", "api_key": "ESML_API_KEY"}, ("two",))
    both = upper.override(lower)
    assert both.sources == {"url": "--url", "api_key": "ESML_API_KEY"}
    assert both.warnings == ("two", "one")


def test_repr_shows_no_values() -> None:
    """repr() of settings shows no values."""
    assert "hidden" not in repr(settings_with(api_key="hidden"))
