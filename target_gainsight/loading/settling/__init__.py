"""Outcomes of records: ledger, checkpoint, summary and progress."""
