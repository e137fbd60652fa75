"""The commands, one module each: click options that build a request and call the run function in cli/runs/."""
