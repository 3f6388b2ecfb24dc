"""Airflow adapters between the DAG files and the domain in `include`.

Modules here import `include` inside functions only: the scheduler and the API server, which import plugins too,
do not have the dags folder (and so `include`) on their path.
"""
