"""Every call of ours is given every odd answer, and what came of it is looked at."""
