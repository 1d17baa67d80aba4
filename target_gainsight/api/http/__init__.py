"""HTTP calls: bodies, responses, retries."""
