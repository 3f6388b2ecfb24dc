"""Encryption of tokens at rest."""
