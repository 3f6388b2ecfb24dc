"""Activities to play with: invented ones, and recorded ones from a directory."""
