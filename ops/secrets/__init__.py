"""The secrets of an installation: how each is changed, and where they are kept."""
