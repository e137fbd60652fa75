"""A cluster for tests, reached over plain HTTP requests and independent of esml.

In a scenario the cluster has a `prefix`, which is added to every name that a test passes to `model`, `deployment`,
`pipeline` and so on. `short` removes it from output, so that tests can use `d` instead of `esml-test-abcdef-d`.
In paths and bodies `~` stands for the prefix: `/_ml/trained_models/~m`.
"""

import base64
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from urllib3 import PoolManager

from tests.support import tiny_model
from tests.support.requests import check_listed, check_names

PATIENCE = 60.0  # time limit in seconds, e.g. for the start of a deployment
MODELS = "/_ml/trained_models"
# Refusals for which a test is skipped: their status, a part of their reason, and what the cluster lacks.
LACKS = (
    (403, "license", "a licence for machine learning (a trial will do)"),
    (429, "", "room for another deployment"),
    (400, "ml node", "nodes for machine learning"),
    (409, "ml node", "nodes for machine learning"),
)


@dataclass(frozen=True)
class RawCluster:
    """The address of a cluster, and the credentials for it.

    Every name begins with `prefix`; `alone` means that nobody else uses the cluster; `faults` allows calls to
    `_testnode`, which only a test node has. `resets` records the arguments of each `reset`.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    prefix: str = ""
    alone: bool = True
    faults: bool = True
    authorization: str | None = field(default=None, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    pool: PoolManager = field(default_factory=lambda: pool(None), repr=False, compare=False)
    resets: list[Mapping[str, object]] = field(default_factory=list)

    @property
    def secured(self) -> bool:
        """Return whether the cluster requires credentials."""
        return bool(self.username or self.authorization)

    def full(self, name: str) -> str:
        """Return a name with the prefix."""
        return self.prefix + name

    def short(self, text: str) -> str:
        """Return a text without the prefix."""
        return text.replace(self.prefix, "") if self.prefix else text

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request and return the status and the decoded body of the response."""
        path = path.replace("~", self.prefix)
        if self.prefix:
            check_names(method, path, self.prefix)
        if not self.faults:
            check_listed(method, path)
        headers = {"content-type": "application/json"}
        if authorization := self.authorization or basic(self.username, self.password):
            headers["authorization"] = authorization
        data = None if body is None else json.dumps(body).replace("~", self.prefix).encode()
        answer = self.pool.request(method, self.url + path, body=data, headers=headers)
        return answer.status, json.loads(answer.data or b"null")

    def do(self, method: str, path: str, body: object = None) -> Any:
        """Send a request that must succeed, and return the decoded body of the response."""
        status, answer = self.ask(method, path, body)
        assert 200 <= status < 300, (method, path, status, answer)
        return answer

    def need(self, method: str, path: str, body: object = None) -> Any:
        """Send a request and return the decoded body; skip the test if a license, room or privilege is missing."""
        status, answer = self.ask(method, path, body)
        reason = str(answer.get("error", "") if isinstance(answer, dict) else answer)
        for code, part, what in LACKS:
            if status == code and part in reason.lower():
                pytest.skip(f"the cluster lacks {what}: {reason[:200]}")
        if status == 403:
            pytest.skip(f"the cluster lacks the privilege for {method} {path.partition('/' + self.prefix)[0]}")
        assert 200 <= status < 300, (method, path, status, answer)
        return answer

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Evaluate a condition repeatedly until it is true; fail after PATIENCE seconds."""
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends, f"{what} did not happen within {PATIENCE:.0f} s"
            time.sleep(0.05)

    def model(self, name: str, kind: str = "pytorch") -> None:
        """Create the tiny model, or a tree model that cannot be deployed; without a prefix only its name and type."""
        path = f"{MODELS}/{self.full(name)}"
        if not self.prefix:
            self.do("PUT", path, {"model_type": kind})
        elif kind == "tree_ensemble":
            self.need("PUT", path, tiny_model.TREE)
        else:
            self.need("PUT", path, tiny_model.CONFIGURATION)
            self.do("PUT", f"{path}/definition/0", tiny_model.definition())
            self.do("PUT", f"{path}/vocabulary", {"vocabulary": tiny_model.VOCABULARY})

    def deployment(self, name: str, model: str, **parameters: object) -> None:
        """Start a deployment of an existing model, and wait until it is running.

        In a scenario its priority is low, unless allocations, threads or priority are given, so that many fit on a
        small machine.
        """
        if self.prefix and not parameters.keys() & {"number_of_allocations", "threads_per_allocation", "priority"}:
            parameters["priority"] = "low"
        query = "".join(f"&{key}={value}" for key, value in parameters.items())
        start = f"{MODELS}/{self.full(model)}/deployment/_start?deployment_id={quote(self.full(name), safe='')}{query}"
        self.need("POST", start)
        self.until(lambda: self.states().get(name) in {"started", "fully_allocated"}, f"the start of {name}")

    def alias(self, name: str, model: str) -> None:
        """Create a model alias."""
        self.do("PUT", f"{MODELS}/{self.full(model)}/model_aliases/{self.full(name)}")

    def pipeline(self, name: str, *models: str) -> None:
        """Create an ingest pipeline with an inference processor for each model, deployment or alias."""
        processors = [{"inference": {"model_id": self.full(one)}} for one in models]
        self.do("PUT", f"/_ingest/pipeline/{self.full(name)}", {"processors": processors})

    def endpoint(self, name: str, **settings: str) -> None:
        """Create an inference endpoint: a model_id alone creates a deployment, a deployment_id uses an existing one."""
        named: dict[str, object] = {key: self.full(value) for key, value in settings.items()}
        if self.prefix:
            named |= {"num_allocations": 1, "num_threads": 1}
        body = {"service": "elasticsearch", "service_settings": named}
        self.need("PUT", f"/_inference/sparse_embedding/{self.full(name)}", body)

    def infer(self, name: str) -> Any:
        """Send an inference request with one text and return the decoded response."""
        return self.do("POST", f"{MODELS}/{self.full(name)}/_infer", {"docs": [{"text_field": "these words"}]})

    def fault(self, name: str, **faults: object) -> None:
        """Set the faults of a deployment on a test node, e.g. a slow or failing stop."""
        self.do("POST", f"/_testnode/faults/{self.full(name)}", faults)

    def stats(self) -> dict[str, dict[str, Any]]:
        """Return the `deployment_stats` of each deployment with the prefix, by ID without the prefix."""
        status, answer = self.ask("GET", f"{MODELS}/{self.prefix}*/_stats?size=1000")
        if status == 404:  # the model of a deployment was deleted
            answer = self.do("GET", f"{MODELS}/_all/_stats?size=10000")
        entries = json.loads(self.short(json.dumps(own(answer, self.prefix))))
        found = [one["deployment_stats"] for one in entries if "deployment_stats" in one]
        return {one["deployment_id"]: one for one in found}

    def states(self) -> dict[str, str]:
        """Return the state of each deployment with the prefix."""
        return {name: one["state"] for name, one in self.stats().items()}

    def running(self) -> list[str]:
        """Return the sorted IDs of all deployments with the prefix."""
        return sorted(self.stats())

    def reset(self, **kind: object) -> None:
        """Clear a test node and set the kind of server that it imitates, e.g. `before="8.8"`.

        Skips the test if others use the node. The clean-up after the test resets the node to its own kind.
        """
        if not self.alone and self.others():
            pytest.skip(f"a reset would forget what is not ours: {self.others()[0]} ...")
        self.resets.append(kind)
        self.do("POST", "/_testnode/reset", kind)
        _, pipelines = self.ask("GET", f"/_ingest/pipeline/{self.prefix}*")
        for name in pipelines:
            self.do("DELETE", f"/_ingest/pipeline/{name}")

    def others(self) -> list[str]:
        """Return the IDs of the models on the cluster that do not begin with the prefix."""
        configs = self.do("GET", f"{MODELS}/_all?size=10000").get("trained_model_configs", [])
        return [one["model_id"] for one in configs if not one["model_id"].startswith(self.prefix)]

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which esml connects to this cluster."""
        names = {
            "ESML_URL": self.url,
            "ESML_USERNAME": self.username,
            "ESML_PASSWORD": self.password,
            "ESML_CA_CERTS": self.ca_certs,
        }
        found = {name: value for name, value in names.items() if value}
        return {name: value for name, value in self.settings.items() if name != "ESML_CLOUD_ID"} | found


def own(answer: Any, prefix: str) -> list[Any]:
    """Return the entries of a `_stats` response whose deployment IDs begin with the prefix."""
    entries = answer.get("trained_model_stats", [])
    return [one for one in entries if one.get("deployment_stats", {}).get("deployment_id", "").startswith(prefix)]


def basic(username: str | None, password: str | None) -> str | None:
    """Return the Authorization header for a login, or None without a user name."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode() if username else None


def trusting(ca_certs: str | None) -> ssl.SSLContext:
    """Return a TLS context that also trusts the CAs in a file."""
    context = ssl.create_default_context(cafile=ca_certs)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the CA of a test node has no key usage extension
    return context


def pool(context: ssl.SSLContext | None) -> PoolManager:
    """Return a connection pool that several threads can use."""
    return PoolManager(ssl_context=context, retries=False, timeout=PATIENCE, maxsize=8)
