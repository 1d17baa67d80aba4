"""Questions that take writes, to an object that the user names, or to a person.

Start at `run.py`. `marked_rows.py` alone writes to the object; `trial.py` plans by reads alone.
"""
