"""Athletes who connected, and the tokens that open their accounts."""
