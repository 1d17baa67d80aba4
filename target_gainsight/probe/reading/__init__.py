"""The questions that reads settle. Start at `questions.py`."""
