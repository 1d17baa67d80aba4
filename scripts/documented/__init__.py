"""The files that `scripts/docs.py` generates from the settings, a module for each form."""
