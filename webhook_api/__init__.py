"""The web edge: the pages on which athletes connect, Strava's webhook, and the way from the queue to Airflow."""
