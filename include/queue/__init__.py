"""The durable queue between the webhook and Airflow."""
