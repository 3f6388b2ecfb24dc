"""The demo: a parent and a child, activities of every kind, a real Airflow, and a check of every point."""
