"""Being here puts this folder on the import path: `given` is for every test of the settings."""
