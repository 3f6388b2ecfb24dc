"""What is brought to AWS: built into `dist/`, always the same bytes, and tried on its host's packages alone."""
