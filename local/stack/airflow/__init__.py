"""Airflow on one machine: its home, its database and its servers."""
