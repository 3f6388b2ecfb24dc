"""Builds the artefacts for AWS into `dist/`, reproducibly, and tests them with only their host's packages."""
