"""Records in, settled outcomes out. Knows the api's verbs, not HTTP."""
