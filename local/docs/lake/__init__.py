"""Pages about the lake, and the simulated lakes for their examples."""
