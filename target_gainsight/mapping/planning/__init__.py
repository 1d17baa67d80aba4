"""Plan which column goes to which field: checks at a stream's start, and suggestions."""
