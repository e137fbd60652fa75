"""The client for Elasticsearch: typed calls, responses as models, and snapshots read in few requests."""
