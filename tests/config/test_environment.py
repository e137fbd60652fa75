import pytest

from esml_stop.config.environment import other_settings, variables_set
from esml_stop.config.settings import own_settings
from esml_stop.errors import ConfigError

URL = "http://h:9200"


@pytest.mark.parametrize(
    ("environment", "values"),
    [
        ({"ELASTICSEARCH_URL": URL, "ELASTICSEARCH_API_KEY": "k"}, {"url": URL, "api_key": "k"}),
        ({"ELASTICSEARCH_ENDPOINTS": f"{URL},http://i:1"}, {"url": f"{URL},http://i:1"}),
        ({"ELASTICSEARCH_URL": URL, "ELASTICSEARCH_BEARER_TOKEN": "t"}, {"url": URL, "bearer_token": "t"}),
        ({"ELASTICSEARCH_URL": URL, "ELASTICSEARCH_INSECURE": "true"}, {"url": URL, "insecure": "true"}),
        (
            {"ELASTIC_ES_URL": URL, "ELASTIC_ES_USERNAME": "u", "ELASTIC_ES_PASSWORD": "p"},
            {"url": URL, "username": "u", "password": "p"},
        ),
        ({"ES_URL": URL, "ES_CA_CERT": "ca", "ES_API_KEY": "k"}, {"url": URL, "ca_certs": "ca", "api_key": "k"}),
        ({"ES_URL": "http://a,http://b/", "ES_PATH_PREFIX": "/es/"}, {"url": "http://a/es,http://b/es"}),
        ({"ES_URL": URL, "ES_SSL_SKIP_VERIFY": "true"}, {"url": URL, "insecure": "true"}),
        ({"ES_URL": URL, "ES_SSL_SKIP_VERIFY": "false"}, {"url": URL}),
        ({"CLOUD_ID": "c", "ES_API_KEY": "k"}, {"cloud_id": "c", "api_key": "k"}),
        ({"CLOUD_ID": "c", "ELASTIC_API_KEY": "k"}, {"cloud_id": "c", "api_key": "k"}),
        ({"CLOUD_ID": "c", "ELASTIC_PASSWORD": "p"}, {"cloud_id": "c", "username": "elastic", "password": "p"}),
        ({"CLOUD_ID": "c"}, {"cloud_id": "c"}),
        ({"ES_LOCAL_URL": URL, "ES_LOCAL_PASSWORD": "p"}, {"url": URL, "username": "elastic", "password": "p"}),
        ({"ESCLI_URL": URL, "ESCLI_USER": "u", "ESCLI_PASSWORD": "p"}, {"url": URL, "username": "u", "password": "p"}),
        ({"ESCLIENT_HOSTS": "http://a http://b"}, {"url": "http://a,http://b"}),
        ({"ESCLIENT_HOSTS": URL, "ESCLIENT_ID": "i", "ESCLIENT_API_KEY": "k"}, {"url": URL, "api_key": "i:k"}),
        ({"ESCLIENT_HOSTS": URL, "ESCLIENT_API_TOKEN": "t"}, {"url": URL, "api_key": "t"}),
        ({"ESCLIENT_HOSTS": URL, "ESCLIENT_VERIFY_CERTS": "False"}, {"url": URL, "insecure": "true"}),
    ],
)
def test_variables_of_other_tools_are_read(environment: dict[str, str], values: dict[str, str]) -> None:
    """Variables of other tools have the same meaning as in those tools."""
    found = other_settings(environment)
    assert found
    assert found.values == values


def test_the_first_family_with_an_address_is_used() -> None:
    """The families of variables have a fixed order, and the first one with an address is used."""
    names = ["ELASTICSEARCH_URL", "ELASTIC_ES_URL", "ES_URL", "ES_LOCAL_URL", "CLOUD_ID", "ESCLI_URL", "ESCLIENT_HOSTS"]
    keys = {"ELASTICSEARCH_API_KEY": "k", "ES_API_KEY": "k", "ES_LOCAL_API_KEY": "k", "ELASTIC_API_KEY": "k"}
    environment = {**dict.fromkeys(names, URL), **keys}
    order = []
    while found := other_settings(environment):
        (name,) = {found.sources.get("url"), found.sources.get("cloud_id")} - {None}
        order.append(name)
        del environment[str(name)]
    # With ES_API_KEY set, CLOUD_ID belongs to the family of ES_URL, which precedes ES_LOCAL_URL.
    assert order == [*names[:3], "CLOUD_ID", "ES_LOCAL_URL", *names[5:]]


def test_an_empty_variable_counts_as_not_set() -> None:
    """A variable that is empty, as CI systems leave it for a missing secret, counts as not set."""
    assert other_settings({"ELASTICSEARCH_URL": "", "ES_URL": URL}).sources == {"url": "ES_URL"}  # type: ignore[union-attr]
    assert own_settings({"ESML_URL": "", "ESML_API_KEY": ""}).values == {}
    assert other_settings({"ES_API_KEY": "k"}) is None


def test_an_api_key_takes_precedence_over_a_password() -> None:
    """An API key takes precedence over a password, as in the tools that use these variables."""
    found = other_settings({"ES_LOCAL_URL": URL, "ES_LOCAL_API_KEY": "k", "ES_LOCAL_PASSWORD": "p"})
    assert found
    assert found.values == {"url": URL, "api_key": "k"}


def test_a_url_can_refer_to_another_variable() -> None:
    """A URL can refer to another variable, as in start-local's .env file if no shell expanded it; it must be set."""
    environment = {"ES_LOCAL_URL": "http://localhost:${ES_LOCAL_PORT}", "ES_LOCAL_PORT": "9201"}
    assert other_settings(environment).values["url"] == "http://localhost:9201"  # type: ignore[union-attr]
    del environment["ES_LOCAL_PORT"]
    with pytest.raises(ConfigError, match="ES_LOCAL_URL refers to ES_LOCAL_PORT, which is not set"):
        other_settings(environment)


def test_insecure_must_be_true_or_false() -> None:
    """ESML_INSECURE accepts words for true and false, such as YES and 0; any other word is an error."""
    assert own_settings({"ESML_INSECURE": "0"}).values == {}
    assert own_settings({"ESML_INSECURE": "YES"}).values == {"insecure": "YES"}
    with pytest.raises(ConfigError, match="ESML_INSECURE is neither true nor false"):
        own_settings({"ESML_INSECURE": "perhaps"})


def test_variables_that_are_set_are_listed_once() -> None:
    """Variables that are set are listed once, in the order of their families; empty and unrelated ones are omitted."""
    environment = {"ES_URL": "x", "ESML_URL": "y", "ES_API_KEY": "z", "PATH": "/bin", "ES_USERNAME": ""}
    assert list(variables_set(environment)) == ["ESML_URL", "ES_URL", "ES_API_KEY"]
