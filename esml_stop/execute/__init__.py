"""Carries a plan out: batches of stops and starts, and the last look."""
