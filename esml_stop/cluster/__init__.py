"""Everything Elasticsearch: typed calls, answers as models, snapshots in few requests."""
