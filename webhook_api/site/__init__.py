"""What the pages say of the service itself: who runs it, what it keeps, and the files they are made with."""
