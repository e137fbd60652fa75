"""Recognizes which product responded instead of Elasticsearch."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import TransportApiResponse

from esml_stop.config.urls import Proxy
from esml_stop.errors import CHECK_URL, BadAnswer

KIBANA = "Use the address of Elasticsearch: Kibana's port is usually 5601, Elasticsearch's 9200."
CLOUD = "Check the URL or cloud ID for a typo; the Elastic Cloud deployment may also have been deleted."
OLD = "esml supports Elasticsearch 8 and later."


def not_elasticsearch(answer: TransportApiResponse, where: str, proxy: Proxy | None) -> BadAnswer:
    """Return the error for a response from another product, with a hint."""
    what, hint = identify(answer.meta.headers, answer.body)
    if proxy:
        hint = f"The response may also come from the proxy {proxy.url} ({proxy.source}). {hint}"
    return BadAnswer(f"{where} is not Elasticsearch: it answered HTTP {answer.meta.status} {what}.", hint=hint)


def wrong_path(reason: str, where: str) -> BadAnswer | None:
    """Return the error for a URL whose path Elasticsearch rejects as unknown."""
    parts = urlsplit(where)
    if not parts.path or f"uri [{parts.path}/" not in reason:
        return None
    text = f"{parts.scheme}://{parts.netloc} is Elasticsearch, but nothing is available under the path {parts.path}."
    return BadAnswer(text, hint="Remove the path from the URL: it is only needed for a proxy that expects it.")


def identify(headers: Mapping[str, str], body: Any) -> tuple[str, str]:
    """Return the end of the error message, which names the product that responded, and a hint."""
    if isinstance(body, Mapping):
        return identify_json(headers, body)
    if "kbn-name" in headers:
        return "as Kibana does", KIBANA
    if "opensearch" in headers.get("www-authenticate", "").lower():
        return "as OpenSearch does", "esml does not support OpenSearch."
    if str(body or "").lstrip().lower().startswith(("<!doctype html", "<html")):
        return "with a web page (HTML)", CHECK_URL
    return "without Elasticsearch's product header", CHECK_URL


def identify_json(headers: Mapping[str, str], body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the end of the error message and a hint for a JSON response."""
    version = body.get("version")
    if "kbn-name" in headers or {"statusCode", "error", "message"} <= body.keys():
        return "as Kibana does", KIBANA
    if body.get("ok") is False and isinstance(body.get("message"), str):
        return f'as Elastic Cloud does when it does not find the deployment: "{body["message"][:80]}"', CLOUD
    if isinstance(version, Mapping) and version.get("distribution") == "opensearch":
        return "as OpenSearch does", "esml does not support OpenSearch."
    if {"timestamp", "status", "error", "path"} <= body.keys():
        return "as a Spring application does", CHECK_URL
    if isinstance(body.get("error"), Mapping | str) and "status" in body:
        return "as OpenSearch or an old Elasticsearch does", OLD
    return "without Elasticsearch's product header", CHECK_URL
