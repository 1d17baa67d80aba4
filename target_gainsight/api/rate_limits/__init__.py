"""Rate limits: permits to make a call, shared by threads and processes."""
