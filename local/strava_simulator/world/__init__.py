"""What exists at the simulated Strava: athletes, applications, activities, uploads, and what happens to them."""
