"""The demo: a parent and a child, activities of every kind, real Airflow, and a check of every point."""
