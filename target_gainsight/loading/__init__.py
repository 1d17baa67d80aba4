"""From records to settled outcomes. Knows the API's operations, not HTTP."""
