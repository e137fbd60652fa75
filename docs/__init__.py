"""Generated documentation: the man page and the pictures."""
