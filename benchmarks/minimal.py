"""The least that stops a deployment with the official client: the same four requests, no checks, no words."""

import os
import sys

from elasticsearch import Elasticsearch

login = (os.environ["ESML_USERNAME"], os.environ["ESML_PASSWORD"]) if "ESML_USERNAME" in os.environ else None
tls = {"ca_certs": os.environ["ESML_CA_CERTS"]} if "ESML_CA_CERTS" in os.environ else {}
client = Elasticsearch(os.environ["ESML_URL"], basic_auth=login, max_retries=0, **tls)
name = sys.argv[1]
client.ml.get_trained_models_stats(model_id=f"{name}*")
client.inference.get()
client.ml.stop_trained_model_deployment(model_id=name, body={"force": False, "allow_no_match": False})
client.ml.get_trained_models_stats(model_id=f"{name}*")
