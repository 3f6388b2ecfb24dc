"""Pages of the crash walks."""
