"""The file from which stopped deployments are started again."""
