"""What each kind of work costs with ten athletes, and with ten thousand: counted, not timed."""
