"""Pure decisions: what is meant, what uses it, what is stopped, started or refused."""
