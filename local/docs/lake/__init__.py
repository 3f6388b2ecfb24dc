"""Pages about the lake, and the invented lakes from which they are made."""
