"""The proof of the web edge on one machine: nothing that other clients do delays the webhook."""
