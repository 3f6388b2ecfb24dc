"""Versioned rows behind one narrow protocol: what all state lies in."""
