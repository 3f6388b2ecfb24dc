"""Proofs with real processes: what may be done by many at once, or die at any moment, and still comes out right."""
