"""The terms that parent and child agree on, proposals, and the feed of changes."""
