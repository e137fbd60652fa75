from pathlib import Path

import pytest

from esml_stop.config.profiles import default, named, profile_names
from esml_stop.config.settings import Settings
from esml_stop.errors import ConfigError

TWO_PROFILES = """
current_context: prod
contexts:
  prod: {elasticsearch: {url: "https://prod:9200", auth: {api_key: $(env:KEY)}}}
  dev: {elasticsearch: {url: "http://dev:9200"}}
"""


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file with this mode and return its path; by default only its owner can read it."""
    path.write_text(text)
    path.chmod(mode)
    return path


def one_profile(url: str) -> str:
    """Return a configuration file with one profile for this URL."""
    return f'{{"current_context": "c", "contexts": {{"c": {{"elasticsearch": {{"url": "{url}"}}}}}}}}'


def options(**values: str) -> Settings:
    """Return the settings for these options."""
    return Settings(values, {name: f"--{name.replace('_', '-')}" for name in values})


def url(found: Settings | None) -> str | None:
    """Return the URL in the settings, or None if there are no settings."""
    return found.values["url"] if found else None


def test_the_first_file_in_the_home_directory_is_used(tmp_path: Path) -> None:
    """The first existing file of ~/.elasticrc, ~/.elasticrc.json, ~/.elasticrc.yaml and ~/.elasticrc.yml is used."""
    home = {"HOME": str(tmp_path)}
    assert default(home) is None
    for name in (".elasticrc.yml", ".elasticrc.yaml", ".elasticrc.json", ".elasticrc"):
        write(tmp_path / name, one_profile(f"http://{name.strip('.')}:1"))
        assert url(default(home)) == f"http://{name.strip('.')}:1"


def test_the_working_directory_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file in the working directory is read, even if HOME is relative or empty."""
    write(tmp_path / ".elasticrc.yml", one_profile("http://trap:1"))
    monkeypatch.chdir(tmp_path)
    for home in (".", "", "./"):
        assert default({"HOME": home}) is None
    assert default({}) is None


def test_elastic_cli_config_file_replaces_the_file_in_home(tmp_path: Path) -> None:
    """$ELASTIC_CLI_CONFIG_FILE replaces the file in the home directory, also for --profile."""
    write(tmp_path / ".elasticrc.yml", one_profile("http://home:1"))
    path = write(tmp_path / "other.yml", TWO_PROFILES)
    environment = {"HOME": str(tmp_path), "ELASTIC_CLI_CONFIG_FILE": str(path), "KEY": "k"}
    assert url(default(environment)) == "https://prod:9200"
    assert url(named(options(profile="dev"), environment)) == "http://dev:9200"
    found = default(environment)
    assert found
    assert found.sources["url"] == f"profile prod in ELASTIC_CLI_CONFIG_FILE: {path}"


def test_profile_and_config_file_work_together_and_alone(tmp_path: Path) -> None:
    """--profile selects a profile of ~/.elasticrc.yml or --config-file; without it, the current profile is used."""
    environment = {"HOME": str(tmp_path), "KEY": "k"}
    write(tmp_path / ".elasticrc.yml", TWO_PROFILES)
    path = write(tmp_path / "given.yml", TWO_PROFILES.replace("dev:9200", "other:9200"))
    assert url(named(options(profile="dev"), environment)) == "http://dev:9200"
    assert url(named(options(profile="dev", config_file=str(path)), environment)) == "http://other:9200"
    assert url(named(options(config_file=str(path)), environment)) == "https://prod:9200"


def test_a_profile_without_any_file_is_an_error(tmp_path: Path) -> None:
    """--profile without a configuration file is an error that names the expected file."""
    with pytest.raises(ConfigError) as raised:
        named(options(profile="prod"), {"HOME": str(tmp_path)})
    assert raised.value.message == "--profile is given, but there is no configuration file."
    assert "~/.elasticrc.yml" in str(raised.value.hint)


def test_an_es_client_file_is_recognized_by_its_form(tmp_path: Path) -> None:
    """An es_client file is recognized by its form; it has no profiles, and must contain hosts or cloud_id."""
    path = write(tmp_path / "curator.yml", "elasticsearch: {client: {hosts: 'http://h:1'}}")
    assert url(named(options(config_file=str(path)), {})) == "http://h:1"
    with pytest.raises(ConfigError, match="has no profiles"):
        named(options(config_file=str(path), profile="x"), {})
    write(path, "elasticsearch: {client: {}}")
    with pytest.raises(ConfigError, match="has neither hosts nor cloud_id"):
        named(options(config_file=str(path)), {})


def test_an_es_client_file_from_before_version_8_is_rejected(tmp_path: Path) -> None:
    """An es_client file from before version 8 is rejected with what to change, and its secrets are not shown."""
    path = write(tmp_path / "curator.yml", "client: {hosts: [127.0.0.1], port: 9200, http_auth: 'user:hidden'}")
    with pytest.raises(ConfigError, match="has the form of es_client before version 8") as raised:
        named(options(config_file=str(path)), {})
    hint = str(raised.value.hint)
    assert all(part in hint for part in ("elasticsearch.client", "https://HOST:9200", "elasticsearch.other_settings"))
    assert "hidden" not in f"{raised.value.message}{hint}"


def test_a_link_is_followed_and_a_broken_one_is_an_error(tmp_path: Path) -> None:
    """A symbolic link to a file is followed; a broken one is an error."""
    write(tmp_path / "real.yml", one_profile("http://linked:1"))
    (tmp_path / ".elasticrc.yml").symlink_to(tmp_path / "real.yml")
    assert url(default({"HOME": str(tmp_path)})) == "http://linked:1"
    (tmp_path / "real.yml").unlink()
    with pytest.raises(ConfigError, match="no such file"):
        default({"HOME": str(tmp_path)})


def test_a_secret_that_others_can_read_causes_one_warning(tmp_path: Path) -> None:
    """A file with a secret that others can read causes one warning; expressions do not count as secrets."""
    inline = TWO_PROFILES.replace("$(env:KEY)", "inline-secret")
    for text, mode, count in ((inline, 0o644, 1), (inline, 0o640, 1), (inline, 0o600, 0), (TWO_PROFILES, 0o644, 0)):
        path = write(tmp_path / "x.yml", text, mode)
        found = named(options(config_file=str(path), profile="dev"), {})
        assert len(found.warnings) == count
        assert "inline-secret" not in "".join(found.warnings)


def test_completion_of_profiles_never_fails(tmp_path: Path) -> None:
    """Profiles are completed from ~/.elasticrc.yml, --config-file or ESML_CONFIG_FILE; an invalid file yields none."""
    environment = {"HOME": str(tmp_path)}
    assert profile_names(environment) == ()
    write(tmp_path / ".elasticrc.yml", TWO_PROFILES)
    assert profile_names(environment) == ("prod", "dev")
    path = write(tmp_path / "x.yml", one_profile("http://h:1"))
    assert profile_names(environment, str(path)) == ("c",)
    assert profile_names({**environment, "ESML_CONFIG_FILE": str(path)}) == ("c",)
    write(path, "{broken")
    assert profile_names(environment, str(path)) == ()
    assert profile_names(environment, "/no/such") == ()
