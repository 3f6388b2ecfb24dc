"""Walks a family through every page in a real browser, and takes a picture of each."""
