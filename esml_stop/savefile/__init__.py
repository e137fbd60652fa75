"""Save files, from which stopped deployments can be restored."""
