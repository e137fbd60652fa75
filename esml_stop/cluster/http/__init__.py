"""All that knows the official client: one request at a time, and what can go wrong with it, in words."""
