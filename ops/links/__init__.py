"""Links between parents and children without the web pages."""
