"""The cost of each kind of work with ten athletes and with ten thousand: counted, not timed."""
