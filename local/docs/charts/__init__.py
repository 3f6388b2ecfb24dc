"""The pictures of the cookbook's queries."""
