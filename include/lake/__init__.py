"""The lake: raw answers and typed Parquet tables, in objects that are rewritten under a condition."""
