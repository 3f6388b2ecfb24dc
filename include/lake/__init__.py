"""The lake: raw answers and typed Parquet tables, in objects that are written under a condition."""
