"""Current rows: what the tenant holds for the keys of a group."""
