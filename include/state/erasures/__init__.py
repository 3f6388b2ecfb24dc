"""The ledger of erasures, from the request to the certificate."""
