"""The warehouse side of each layer: what it reads, as frames or rows, and how its tables are written.

Belongs here: SQL against the embedded warehouse, outside dbt. Does not belong here: what a row means (pure packages).
"""
