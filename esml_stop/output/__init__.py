"""The output of the commands: results on stdout, messages and progress on stderr."""
