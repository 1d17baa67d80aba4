"""What `scripts/docs.py` writes, a module for each form that the settings take."""
