"""Carries out a plan: concurrent stops and starts, and the final check."""
