"""The settings: their declarations, and their parsed form.

The only reader of raw configuration. Imports nothing else of the package, so that every layer but
``api`` and ``sandbox`` may know the settings. Start reading at ``model`` and ``stream_settings``,
which declare the settings, then ``parsing``.
"""
