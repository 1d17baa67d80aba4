"""The settings: their declarations, and their parsed form.

Imports nothing else of the package, so that every layer but ``api`` and ``sandbox`` may know the
settings. Start reading at ``model`` and ``stream_settings``, which declare them, then ``parsing``.
"""
