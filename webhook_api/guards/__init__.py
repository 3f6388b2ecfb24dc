"""Protection of the pages: rate limits, cookies, and checks of the request line."""
