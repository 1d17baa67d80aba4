"""The tenant's page: what is in it, what it was asked and how fast, for a person with a browser.

Reads the tenant's file over a connection of its own that cannot write, so that looking costs no
quota, leaves no trace in the call log and holds nothing up. Knows no API endpoint.
"""

from target_gainsight.sandbox.page.serving import page_routes

__all__ = ["page_routes"]
