"""Deadlines, retries, signals and background work."""
