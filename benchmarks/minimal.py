"""A minimal script that stops a deployment with the official client: the same four requests, no checks, no messages."""

import os
import sys

from elasticsearch import Elasticsearch

login = (os.environ["ESML_USERNAME"], os.environ["ESML_PASSWORD"]) if "ESML_USERNAME" in os.environ else None
hosts, ca_certs = os.environ["ESML_URL"], os.environ.get("ESML_CA_CERTS")
client = Elasticsearch(hosts, basic_auth=login, max_retries=0, **({"ca_certs": ca_certs} if ca_certs else {}))  # type: ignore[arg-type]
name = sys.argv[1]
client.ml.get_trained_models_stats(model_id=f"{name}*")
client.inference.get()
client.ml.stop_trained_model_deployment(model_id=name, body={"force": False, "allow_no_match": False})
client.ml.get_trained_models_stats(model_id=f"{name}*")
