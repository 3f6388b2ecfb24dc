"""Versioned rows behind one narrow protocol, which hold all state."""
