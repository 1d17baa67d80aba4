"""Map Singer records to Gainsight records. Pure functions and frozen values, no I/O.

`planning` decides once per stream which column goes where, `record_mapper` maps and compares
records, `types` converts the values of each data type, and `csv_columns` makes rows of files.
"""
