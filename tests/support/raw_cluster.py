"""A cluster as the tests themselves see it: plain HTTP, nothing of esml."""

import base64
import json
import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen


@dataclass(frozen=True)
class RawCluster:
    """Where a cluster is, with an administrator's name and password."""

    url: str
    username: str | None = None
    password: str | None = None
    ca_certs: str | None = None

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Make a request and return status and decoded body, whatever the status."""
        headers = {"content-type": "application/json"}
        if self.username:
            login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            headers["authorization"] = f"Basic {login}"
        data = None if body is None else json.dumps(body).encode()
        context = ssl.create_default_context(cafile=self.ca_certs) if self.ca_certs else None
        if context:  # the CA of a test node says nothing about key usage
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        try:
            with urlopen(Request(self.url + path, data, headers, method=method), timeout=60, context=context) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def do(self, method: str, path: str, body: object = None) -> Any:
        """Make a request that must work and return its decoded body."""
        status, answer = self.ask(method, path, body)
        assert status == 200, (method, path, status, answer)
        return answer

    def model(self, name: str, kind: str = "pytorch") -> None:
        """Make a model."""
        self.do("PUT", f"/_ml/trained_models/{name}", {"model_type": kind})

    def deployment(self, name: str, model: str, **parameters: object) -> None:
        """Start a deployment of a model that is there."""
        query = "".join(f"&{key}={value}" for key, value in parameters.items())
        path = f"/_ml/trained_models/{model}/deployment/_start?deployment_id={quote(name, safe='')}{query}"
        self.do("POST", path)

    def alias(self, name: str, model: str) -> None:
        """Give a model an alias."""
        self.do("PUT", f"/_ml/trained_models/{model}/model_aliases/{name}")

    def pipeline(self, name: str, *models: str) -> None:
        """Make an ingest pipeline with an inference processor for each name."""
        self.do(
            "PUT", f"/_ingest/pipeline/{name}", {"processors": [{"inference": {"model_id": one}} for one in models]}
        )

    def endpoint(self, name: str, **settings: str) -> None:
        """Make an inference endpoint; without a deployment_id it gets a deployment of its own."""
        body = {"service": "elasticsearch", "service_settings": settings}
        self.do("PUT", f"/_inference/sparse_embedding/{name}", body)

    def fault(self, name: str, **faults: object) -> None:
        """Make the stop of a deployment slow, or fail."""
        self.do("POST", f"/_testnode/faults/{name}", faults)

    def running(self) -> list[str]:
        """Return the IDs of all deployments that are there, sorted."""
        stats = self.do("GET", "/_ml/trained_models/_all/_stats?size=1000").get("trained_model_stats", [])
        return sorted(one["deployment_stats"]["deployment_id"] for one in stats if "deployment_stats" in one)

    def reset(self, *, endpoint_check: bool = True) -> None:
        """Forget all models, aliases, deployments, endpoints and pipelines."""
        self.do("POST", "/_testnode/reset", {"endpoint_check": endpoint_check})
        _, pipelines = self.ask("GET", "/_ingest/pipeline")
        for name in pipelines:
            self.do("DELETE", f"/_ingest/pipeline/{name}")

    def environment(self) -> dict[str, str]:
        """Return the settings that lead esml to this cluster."""
        names = {
            "ESML_URL": self.url,
            "ESML_USERNAME": self.username,
            "ESML_PASSWORD": self.password,
            "ESML_CA_CERTS": self.ca_certs,
        }
        return {name: value for name, value in names.items() if value}


def node_from_environment() -> RawCluster | None:
    """Return the cluster that ESML_TEST_URL names, if it does."""
    url = os.environ.get("ESML_TEST_URL")
    if not url:
        return None
    username, password = os.environ.get("ESML_TEST_USERNAME"), os.environ.get("ESML_TEST_PASSWORD")
    return RawCluster(url, username, password, os.environ.get("ESML_TEST_CA_CERTS") or None)
