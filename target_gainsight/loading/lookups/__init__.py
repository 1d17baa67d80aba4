"""Foreign keys: GSIDs found through the fields of another object."""
