"""The whole system on one machine: its processes and their supervision."""
