"""Mails: their texts, and the implementations that send them."""
