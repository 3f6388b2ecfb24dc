"""A system on one machine: where it keeps things, on which ports it listens, its secrets and its settings."""
