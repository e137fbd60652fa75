"""Stop trained-model deployments on an Elasticsearch cluster and confirm that they have stopped."""

__version__ = "0.2.0"
