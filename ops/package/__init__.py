"""Builds the artefacts for AWS into `dist/`, reproducibly, and tests them with their host's packages alone."""
