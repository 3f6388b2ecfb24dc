"""Every command of `docs/deploy.md`, run in order against moto in a shell that has only what the page says."""
