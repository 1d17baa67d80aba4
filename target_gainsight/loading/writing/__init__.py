"""Writing batches: every record gets one outcome.

Start with ``delivery.Delivery``, a loop over calls. A ``writer.Writer`` per API makes one call and
returns its outcomes; ``isolation`` narrows a refused batch, ``create_recovery`` looks up creates
whose response was lost.
"""
