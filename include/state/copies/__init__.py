"""The ledger of copies, and what keeps a child's account free of doubles."""
