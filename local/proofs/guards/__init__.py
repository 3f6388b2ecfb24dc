"""Takes the guards of the web edge out, one at a time, and asks whether the tests notice."""
