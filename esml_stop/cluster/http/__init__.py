"""Everything that uses the official transport: single requests, and the explanation of their errors."""
