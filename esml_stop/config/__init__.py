"""Where the connection comes from: options, environment variables and profiles; resolve.py is the way in."""
