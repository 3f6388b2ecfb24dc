"""The whole system on one machine: its processes, their settings, and the directory that keeps their state."""
