"""The pages on which an athlete gives an address for mails, confirms it, and takes it back."""
