"""Athletes who connected, and what their accounts are reached with."""
