"""The domain of Strava Data Ingest: no Airflow, no Flask, importable in every host."""
