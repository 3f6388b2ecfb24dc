"""Walks through every point at which a copy or a run may die, and checks the state after recovery."""
