"""Singer records to Gainsight records. Pure functions and frozen values, no I/O.

`planning` decides once per stream which column goes where, `record_mapper` maps and compares record
by record, `types` converts the values of Gainsight's data types.
"""
