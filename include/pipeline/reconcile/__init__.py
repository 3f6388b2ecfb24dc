"""`strava_reconcile`: what waits in the ledgers, and what Strava's lists say that the ledgers do not."""
