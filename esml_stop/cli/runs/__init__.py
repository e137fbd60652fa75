"""The steps of each command; imported only when the command runs, to keep `--help` fast."""
