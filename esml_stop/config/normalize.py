"""The same setting as different tools write it, brought to one spelling."""

from esml_stop.config.settings import Settings
from esml_stop.errors import ConfigError

TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
PARTS = {"hosts", "path_prefix", "api_key_id", "api_key_secret", "verify_certs"}


def normalized(found: Settings) -> Settings:
    """Return settings in esml's own spelling: one URL list, one API key, `insecure` only where it is meant."""
    values, sources = dict(found.values), dict(found.sources)
    if "hosts" in values:
        values["url"], sources["url"] = ",".join(values["hosts"].replace(",", " ").split()), sources["hosts"]
    if "url" in values and "path_prefix" in values:
        values["url"] = with_prefix(values["url"], values["path_prefix"])
        sources["url"] = f"{sources['url']} and {sources['path_prefix']}"
    if {"api_key_id", "api_key_secret"} <= values.keys() and "api_key" not in values:
        values["api_key"] = f"{values['api_key_id']}:{values['api_key_secret']}"
        sources["api_key"] = " and ".join(dict.fromkeys((sources["api_key_id"], sources["api_key_secret"])))
    if "verify_certs" in values and not is_true(values["verify_certs"], sources["verify_certs"]):
        values["insecure"], sources["insecure"] = "true", sources["verify_certs"]
    if "insecure" in values and not is_true(values["insecure"], sources["insecure"]):
        del values["insecure"]
    return Settings(values, sources, found.warnings).only(name for name in values if name not in PARTS)


def with_prefix(urls: str, prefix: str) -> str:
    """Return a comma list of URLs, each with a path at its end."""
    return ",".join(f"{url.strip().rstrip('/')}/{prefix.strip('/')}" for url in urls.split(","))


def is_true(text: str, source: str) -> bool:
    """Return what a yes-or-no setting says; a word that is neither must not switch anything off."""
    if text.strip().lower() not in TRUTH:
        raise ConfigError(f"{source} is neither true nor false.")
    return TRUTH[text.strip().lower()]
