"""The ledger of activities: what the lake holds of each one, and who writes it now."""
