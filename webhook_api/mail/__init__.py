"""The pages on which an athlete enters a mail address, confirms it, and removes it."""
