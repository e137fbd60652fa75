"""The command line: options, help, sessions and exit codes."""
