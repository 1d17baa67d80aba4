"""Conversion of values per Gainsight data type."""
