"""What people and programs read: results on stdout, messages and progress on stderr."""
