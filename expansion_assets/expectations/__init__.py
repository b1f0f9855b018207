"""Great Expectations suites as data, and their run on frames that Python made.

Belongs here: which expectations hold for a table (derived from its contract or definition) and how they are run.
Does not belong here: Dagster (``defs``), keys and relationships of dbt models (dbt tests).
"""
