"""How links between parents and children come about, change and end; for pages and the command line alike."""
