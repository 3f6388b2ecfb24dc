"""State: versioned rows behind one narrow `Store`, and the domain's own stores on top of it."""
