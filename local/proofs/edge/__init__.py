"""The proof of the web edge on one machine: nothing that others do to it holds up the webhook."""
