"""Starting Airflow runs from outside Airflow."""
