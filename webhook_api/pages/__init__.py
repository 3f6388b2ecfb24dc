"""The pages that athletes see."""
