"""Use cases: one module per DAG, plain functions that a task, a test or a command line calls."""
