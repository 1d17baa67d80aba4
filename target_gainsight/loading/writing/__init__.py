"""Writing batches: from records to one stated outcome each.

Start with ``delivery.deliver``, the loop over calls. A ``writer.Writer`` per API makes one call and
says what came of it (``attempts``); ``isolation`` narrows a refused batch, ``create_recovery``
finds out what became of creates whose response was lost.
"""
