"""Outcomes of records: ledger, reject file, checkpoint, summary and progress."""
