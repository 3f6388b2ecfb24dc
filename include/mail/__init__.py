"""Sends mails: what a mail is, what sends it, and the letters that this service writes."""
