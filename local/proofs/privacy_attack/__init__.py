"""An attacker with all copies of a child tries to locate the home at which the recordings begin."""
