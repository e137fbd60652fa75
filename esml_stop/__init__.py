"""Stop trained-model deployments on an Elasticsearch cluster, and say exactly what happened."""

__version__ = "0.2.0"
