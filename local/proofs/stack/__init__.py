"""Proofs on the whole system, as `make up` and `make demo` run it."""
