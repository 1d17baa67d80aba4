"""A Singer record becomes a Gainsight record. Pure functions and frozen values, no I/O.

`fields` decides once per stream which column goes where, `validation` maps and compares record by
record, `values` is the table of Gainsight's data types.
"""
