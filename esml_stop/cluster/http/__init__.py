"""Requests over the official Elasticsearch transport, and explanations of their errors."""
