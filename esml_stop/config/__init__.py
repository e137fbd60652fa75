"""Finds the connection settings in options, environment variables and profiles; resolve.py is the entry point."""
