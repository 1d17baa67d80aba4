"""The report of a run: its summary document as one self-contained HTML page."""
