"""What each command does, step by step; imported when the command runs, so that `--help` stays quick."""
