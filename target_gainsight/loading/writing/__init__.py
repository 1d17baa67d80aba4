"""Writing batches: every record gets one outcome.

Start with ``delivery.Delivery``, a loop over calls, which narrows a refused batch. A
``writer.Writer`` per API makes one call and returns its outcomes; ``create_recovery`` looks up
creates whose response was lost.
"""
