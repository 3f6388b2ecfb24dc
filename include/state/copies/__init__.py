"""The ledger of copies, and the claims that keep duplicates out of a child's account."""
