"""Settings from the environment variables of other tools, in families; an empty variable counts as not set."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from esml_stop.config.settings import KEY, LOGIN, OWN, Settings, normalized, raw_settings
from esml_stop.errors import ConfigError


class Family(NamedTuple):
    """The environment variables of a tool and their settings; of two with the same setting, the first one set counts.

    `user` is the default user name for a password. A `shared` family only counts if its credentials are set, because
    other tools use the same variable for the address.
    """

    names: Mapping[str, str]
    user: str | None = None
    shared: bool = False


ES_LOGIN = {
    "ES_API_KEY": "api_key",
    "ES_USERNAME": "username",
    "ES_PASSWORD": "password",
    "ES_CA_CERT": "ca_certs",
    "ES_SSL_SKIP_VERIFY": "insecure",
}

# Variables of other tools, in the order in which they are tried; settings of two families are never combined.
OTHER_FAMILIES = (
    # Elasticsearch clients and the Terraform provider.
    Family(
        {
            "ELASTICSEARCH_URL": "url",
            "ELASTICSEARCH_ENDPOINTS": "url",
            "ELASTICSEARCH_API_KEY": "api_key",
            "ELASTICSEARCH_BEARER_TOKEN": "bearer_token",
            "ELASTICSEARCH_USERNAME": "username",
            "ELASTICSEARCH_PASSWORD": "password",
            "ELASTICSEARCH_INSECURE": "insecure",
        }
    ),
    # The Elastic CLI sets these for its extensions.
    Family(
        {
            "ELASTIC_ES_URL": "url",
            "ELASTIC_ES_API_KEY": "api_key",
            "ELASTIC_ES_USERNAME": "username",
            "ELASTIC_ES_PASSWORD": "password",
        }
    ),
    # The MCP server, and eland, which uses a cloud ID instead of the URL.
    Family({"ES_URL": "url", "ES_PATH_PREFIX": "path_prefix", **ES_LOGIN}),
    Family({"CLOUD_ID": "cloud_id", **ES_LOGIN}, shared=True),
    # The .env file that start-local writes.
    Family({"ES_LOCAL_URL": "url", "ES_LOCAL_API_KEY": "api_key", "ES_LOCAL_PASSWORD": "password"}, user="elastic"),
    Family(
        {
            "CLOUD_ID": "cloud_id",
            "ELASTIC_API_KEY": "api_key",
            "ELASTIC_USERNAME": "username",
            "ELASTIC_PASSWORD": "password",
        },
        user="elastic",
    ),
    # escli.
    Family(
        {
            "ESCLI_URL": "url",
            "ESCLI_API_KEY": "api_key",
            "ESCLI_USERNAME": "username",
            "ESCLI_USER": "username",
            "ESCLI_PASSWORD": "password",
        }
    ),
    # es_client, which curator uses.
    Family(
        {
            "ESCLIENT_HOSTS": "hosts",
            "ESCLIENT_CLOUD_ID": "cloud_id",
            "ESCLIENT_API_TOKEN": "api_key",
            "ESCLIENT_API_KEY": "api_key_secret",
            "ESCLIENT_ID": "api_key_id",
            "ESCLIENT_BEARER_AUTH": "bearer_token",
            "ESCLIENT_USERNAME": "username",
            "ESCLIENT_PASSWORD": "password",
            "ESCLIENT_CA_CERTS": "ca_certs",
            "ESCLIENT_CLIENT_CERT": "client_cert",
            "ESCLIENT_CLIENT_KEY": "client_key",
            "ESCLIENT_SSL_ASSERT_FINGERPRINT": "ssl_fingerprint",
            "ESCLIENT_VERIFY_CERTS": "verify_certs",
        }
    ),
)


def other_settings(environment: Mapping[str, str]) -> Settings | None:
    """Return the settings of the first family of another tool that contains the address of a cluster."""
    families = (family_settings(family, environment) for family in OTHER_FAMILIES)
    return next((settings for settings in families if settings.has_address), None)


def family_settings(family: Family, environment: Mapping[str, str]) -> Settings:
    """Return the settings from a family of another tool; an API key or token takes precedence over a user name."""
    found = normalized(raw_settings(family.names, environment))
    if family.shared and not found.has_any((*KEY, *LOGIN)):
        return Settings()
    values, sources = dict(found.values), dict(found.sources)
    if family.user and "password" in values and "username" not in values:
        values["username"], sources["username"] = family.user, f"the default user for {sources['password']}"
    if "url" in values:
        values["url"] = with_variables(values["url"], sources["url"], environment)
    together = Settings(values, sources)
    return together.only(name for name in values if name not in LOGIN or not together.has_any(KEY))


def with_variables(url: str, source: str, environment: Mapping[str, str]) -> str:
    """Return a URL with each ${NAME} replaced by its variable, which not every tool that reads a .env file does."""

    def value(reference: re.Match[str]) -> str:
        if not environment.get(reference[1]):
            raise ConfigError(f"{source} refers to {reference[1]}, which is not set.")
        return environment[reference[1]]

    return re.sub(r"\$\{(\w+)\}", value, url)


def variables_set(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield each variable that is set, esml's own first."""
    names = dict.fromkeys([*OWN, *(name for family in OTHER_FAMILIES for name in family.names)])
    return (name for name in names if environment.get(name))
