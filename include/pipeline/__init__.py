"""Use cases, in a folder for each DAG: plain functions that a task, a test or a command line calls."""
