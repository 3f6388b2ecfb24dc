"""The ledger of erasures, from the wish to the certificate."""
