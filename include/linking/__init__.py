"""Links between parents and children: made, changed and ended, by web pages and the command line."""
