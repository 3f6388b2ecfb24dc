"""Activities for the simulator: generated ones, and recorded ones from a directory."""
