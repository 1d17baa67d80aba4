"""Reject files: rejected records, kept with the reason in a form that can be replayed."""
