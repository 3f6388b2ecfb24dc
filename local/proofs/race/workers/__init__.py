"""The processes that race, and the pool that starts and kills them."""
