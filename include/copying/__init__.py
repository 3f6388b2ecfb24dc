"""Copies of a parent's activity in a child's account: matching, eligibility, files."""
