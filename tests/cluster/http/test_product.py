from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig, TransportApiResponse

from esml_stop.cluster.http.status_errors import OtherProduct, is_genuine, raise_for_status, to_esml_error
from esml_stop.config.connection import Connection
from esml_stop.config.urls import Proxy
from esml_stop.errors import BadAnswer

WHERE = "http://es.example:9200"
OWN = {"x-elastic-product": "Elasticsearch"}
DENIED = {"error": {"type": "security_exception", "reason": "no", "root_cause": []}}


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> TransportApiResponse:
    """Return a response with a status, a body and headers."""
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(headers or {}), 0.1, NodeConfig("http", "es.example", 9200))
    return TransportApiResponse(meta, body)


def said(found: TransportApiResponse, proxy: Proxy | None = None) -> str:
    """Return the error text for a response that is not from Elasticsearch."""
    with pytest.raises(OtherProduct) as other:
        raise_for_status(found)
    error = to_esml_error(other.value, Connection((WHERE,), proxies={WHERE: proxy} if proxy else {}))
    assert type(error) is BadAnswer
    assert error.exit_status == 6
    return f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    ("status", "body", "headers", "genuine"),
    [
        (200, {}, OWN, True),
        (404, {"error": {"type": "x", "reason": "y"}, "status": 404}, OWN, True),
        (401, {**DENIED, "status": 401}, {}, True),
        (403, {**DENIED, "status": 403}, {}, True),
        (200, {}, {}, False),
        (401, {**DENIED, "status": 403}, {}, False),
        (401, {"error": "Unauthorized", "status": 401}, {}, False),
        (401, "Unauthorized", {}, False),
        (404, {**DENIED, "status": 404}, {}, False),
        (500, {**DENIED, "status": 500}, {}, False),
    ],
)
def test_elasticsearch_says_that_it_is(status: int, body: Any, headers: dict[str, str], genuine: bool) -> None:
    """Elasticsearch is recognized by its header, and for a 401 or 403 by the form of its error."""
    assert is_genuine(answer(status, body, headers)) is genuine


@pytest.mark.parametrize(
    ("status", "body", "headers", "who"),
    [
        (404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}, {"kbn-name": "kibana"}, "Kibana"),
        (401, {"statusCode": 401, "error": "Unauthorized", "message": "x"}, {}, "Kibana"),
        (200, "<html>", {"kbn-name": "kibana"}, "Kibana"),
        (404, {"ok": False, "message": "Unknown deployment."}, {}, 'find the deployment: "Unknown deployment."'),
        (200, {"version": {"distribution": "opensearch", "number": "2.11.0"}}, {}, "OpenSearch does"),
        (401, "Unauthorized", {"www-authenticate": 'Basic realm="OpenSearch Security"'}, "OpenSearch does"),
        (400, {"error": {"type": "x", "reason": "y"}, "status": 400}, {}, "OpenSearch or an old Elasticsearch"),
        (404, {"timestamp": 1, "status": 404, "error": "Not Found", "path": "/x"}, {}, "Spring"),
        (200, "<!DOCTYPE html><p>Log in</p>", {}, "a web page (HTML)"),
        (404, "nothing here", {}, "without Elasticsearch's product header"),
        (200, {"anything": 1}, {}, "without Elasticsearch's product header"),
    ],
)  # fmt: skip
def test_another_product_is_named(status: int, body: Any, headers: dict[str, str], who: str) -> None:
    """Another product is named if the response reveals it."""
    text = said(answer(status, body, headers))
    assert text.startswith(f"{WHERE} is not Elasticsearch: it answered HTTP {status} ")
    assert who in text


@pytest.mark.parametrize("status", [301, 407, 429, 502, 503, 504])
def test_a_gateway_status_counts_as_an_unavailable_cluster(status: int) -> None:
    """A redirect, 407, 429, 502, 503 or 504 may come from a proxy or load balancer, so it is not another product."""
    with pytest.raises(Exception) as error:
        raise_for_status(answer(status, "<html>"))
    assert not isinstance(error.value, OtherProduct)


def test_a_proxy_that_may_have_responded_is_named() -> None:
    """A proxy that may have responded is named with its URL and variable, but without its credentials."""
    text = said(answer(200, "<html>"), proxy=Proxy("http://p:3128", "me:canary", "HTTP_PROXY"))
    assert "The response may also come from the proxy http://p:3128 (HTTP_PROXY)." in text
    assert "canary" not in text
