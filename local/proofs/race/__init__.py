"""Proofs with real processes, which work at the same time and are killed at random moments."""
