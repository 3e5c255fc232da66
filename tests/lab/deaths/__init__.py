"""Deaths in the middle of a hold: each is brought about, and what is left of it is looked at."""
