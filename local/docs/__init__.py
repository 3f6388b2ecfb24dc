"""Generators of pages in `docs/`, made from the code so that they cannot differ from it."""
