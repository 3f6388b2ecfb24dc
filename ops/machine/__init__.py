"""A system on one machine: its state directory, its ports, its secrets and its settings."""
