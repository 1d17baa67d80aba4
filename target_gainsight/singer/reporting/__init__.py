"""Reports of a run that has ended: log, summary document, history."""
