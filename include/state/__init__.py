"""State: the domain's ledgers, as versioned rows behind one narrow `Store`."""
