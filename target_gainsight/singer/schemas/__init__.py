"""The schemas of streams: as taps write them, merged, flattened and behind stream maps."""
