"""What keeps strangers and scripts from what is not theirs, before a page is asked."""
