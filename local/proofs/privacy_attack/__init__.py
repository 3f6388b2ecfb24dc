"""Somebody who has all copies of a child looks for the door where the recordings begin."""
