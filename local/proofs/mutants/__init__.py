"""Breaks one line of the code at a time and asks whether the tests notice."""
