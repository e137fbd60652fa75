"""Pure decisions: which deployments are selected, what uses them, and which are stopped, started or refused."""
