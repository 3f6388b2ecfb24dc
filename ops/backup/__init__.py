"""Backup and restore of the system of one machine: its state, keys and lake."""
