from typing import Any

import pytest

from esml_stop.config.elastic_cli import names, settings
from esml_stop.config.expressions import Reader
from esml_stop.errors import ConfigError

URL = "https://h:9200"


def data(**contexts: Any) -> dict[str, Any]:
    """Return a configuration file with these contexts; `prod` is the current one."""
    return {"current_context": "prod", "contexts": contexts, "banner": "false", "telemetry": "false"}


def context(**auth: Any) -> dict[str, Any]:
    """Return a context with these credentials."""
    return {"elasticsearch": {"url": URL, "auth": auth, "version": "9.1"}, "kibana": {"url": "$(cmd:true)"}}


def error_text(file: dict[str, Any], name: str | None = None) -> str:
    """Return the error text for a file without a usable connection."""
    with pytest.raises(ConfigError) as raised:
        settings(file, name, "FILE", Reader({}))
    return f"{raised.value.message} {raised.value.hint}"


def test_the_current_context_is_used() -> None:
    """The current context is used; each source names the profile and the file."""
    found = settings(data(prod=context(username="u", password="p"), dev=context()), None, "FILE", Reader({}))
    assert found.values == {"url": URL, "username": "u", "password": "p"}
    assert set(found.sources.values()) == {"profile prod in FILE"}


def test_another_context_is_selected_by_name() -> None:
    """Only the expressions of the selected context are resolved; those of other contexts may be invalid."""
    file = data(prod=context(api_key="$(cmd:false)"), dev=context(api_key="$(env:KEY)"))
    assert settings(file, "dev", "FILE", Reader({"KEY": "k"})).values == {"url": URL, "api_key": "k"}
    assert "prod in FILE: api_key: $(cmd:...) cannot be read: sh exited with code 1." in error_text(file, "prod")
    assert "profile dev in FILE: api_key is $(env:KEY), but KEY is not set" in error_text(file, "dev")


def test_a_context_without_auth_has_no_credentials() -> None:
    """A context without `auth` has no credentials, for a cluster without security."""
    assert settings(data(prod={"elasticsearch": {"url": URL}}), None, "FILE", Reader({})).values == {"url": URL}


def test_the_error_for_an_unknown_profile_lists_the_profiles() -> None:
    """The error for an unknown profile lists the profiles in the order of the file."""
    assert (
        error_text(data(prod=context(), dev=context()), "tset")
        == "There is no profile tset in FILE. Its profiles: prod, dev."
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({}, "FILE has no contexts."),
        ({"contexts": {}}, "FILE has no contexts."),
        ({"contexts": "x"}, "FILE has no contexts."),
        ({"contexts": {"a": {}, "b": {}}}, "FILE has no current_context. Choose with --profile: a, b."),
        (data(other=context()), "There is no profile prod in FILE. Its profiles: other."),
        (data(prod=None), "profile prod in FILE has no elasticsearch block."),
        (data(prod={"kibana": {"url": URL}}), "set its address with --url"),
        (
            data(prod={"elasticsearch": {"via": "kibana"}}),
            "has no elasticsearch.url. esml connects to Elasticsearch itself",
        ),
        (data(prod={"elasticsearch": {"url": URL, "auth": "x"}}), "auth contains no api_key, username or password."),
        (data(prod=context(api_key="")), "profile prod in FILE: api_key is empty."),
        (data(prod=context(username="u")), "has a username but no password."),
    ],
)
def test_a_missing_value_is_reported(file: dict[str, Any], message: str) -> None:
    """The error for a file without a usable context names the file and what is missing."""
    assert message in error_text(file)


def test_profile_names_are_the_names_of_the_contexts() -> None:
    """Profile names are the names of the contexts; a file in another form has none."""
    assert names(data(b=1, a=2)) == ("b", "a")
    assert names({"elasticsearch": {}}) == ()
