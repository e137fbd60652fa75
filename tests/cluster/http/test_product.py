from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig, TransportApiResponse

from esml_stop.cluster.http.status_errors import OtherProduct, is_genuine, raise_for_status, to_esml_error
from esml_stop.config.connection import Connection
from esml_stop.config.urls import Proxy
from esml_stop.errors import BadAnswer

URL = "http://es.example:9200"
PRODUCT_HEADER = {"x-elastic-product": "Elasticsearch"}
SECURITY_ERROR = {"error": {"type": "security_exception", "reason": "no", "root_cause": []}}


def response(status: int, body: Any, headers: dict[str, str] | None = None) -> TransportApiResponse:
    """Return a response with a status, a body and headers."""
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(headers or {}), 0.1, NodeConfig("http", "es.example", 9200))
    return TransportApiResponse(meta, body)


def error_text(received: TransportApiResponse, proxy: Proxy | None = None) -> str:
    """Return the error text for a response that is not from Elasticsearch."""
    with pytest.raises(OtherProduct) as other:
        raise_for_status(received)
    error = to_esml_error(other.value, Connection((URL,), proxies={URL: proxy} if proxy else {}))
    assert type(error) is BadAnswer
    assert error.exit_status == 6
    return f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    ("status", "body", "headers", "genuine"),
    [
        (200, {}, PRODUCT_HEADER, True),
        (404, {"error": {"type": "x", "reason": "y"}, "status": 404}, PRODUCT_HEADER, True),
        (401, {**SECURITY_ERROR, "status": 401}, {}, True),
        (403, {**SECURITY_ERROR, "status": 403}, {}, True),
        (200, {}, {}, False),
        (401, {**SECURITY_ERROR, "status": 403}, {}, False),
        (401, {"error": "Unauthorized", "status": 401}, {}, False),
        (401, "Unauthorized", {}, False),
        (404, {**SECURITY_ERROR, "status": 404}, {}, False),
        (500, {**SECURITY_ERROR, "status": 500}, {}, False),
    ],
)
def test_elasticsearch_is_recognized_by_its_header_or_error(
    status: int, body: Any, headers: dict[str, str], genuine: bool
) -> None:
    """Elasticsearch is recognized by its product header or, for a 401 or 403, by the form of its error."""
    assert is_genuine(response(status, body, headers)) is genuine


@pytest.mark.parametrize(
    ("status", "body", "headers", "product"),
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
def test_another_product_is_named(status: int, body: Any, headers: dict[str, str], product: str) -> None:
    """The error names the product that the response reveals, or describes the response."""
    text = error_text(response(status, body, headers))
    assert text.startswith(f"{URL} is not Elasticsearch: it answered HTTP {status} ")
    assert product in text


@pytest.mark.parametrize("status", [301, 407, 429, 502, 503, 504])
def test_a_gateway_status_is_not_another_product(status: int) -> None:
    """A redirect, 407, 429, 502, 503 or 504 may come from a proxy or load balancer, so it is not another product."""
    with pytest.raises(Exception) as error:
        raise_for_status(response(status, "<html>"))
    assert not isinstance(error.value, OtherProduct)


def test_a_proxy_that_may_have_responded_is_named() -> None:
    """A proxy that may have responded is named with its URL and variable, but without its credentials."""
    text = error_text(response(200, "<html>"), proxy=Proxy("http://p:3128", "me:canary", "HTTP_PROXY"))
    assert "The response may also come from the proxy http://p:3128 (HTTP_PROXY)." in text
    assert "canary" not in text
