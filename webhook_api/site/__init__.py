"""The service's description of itself: who runs it, what it keeps, and the files of its pages."""
