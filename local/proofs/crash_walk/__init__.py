"""A copy that dies at every line that matters, and what is left after the next try."""
