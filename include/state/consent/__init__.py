"""What parent and child have agreed on, what waits for a yes, and what each is told of the other."""
