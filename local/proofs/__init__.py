"""The slow proofs of what the project promises, in one list: `make proofs`."""
