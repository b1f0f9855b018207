"""The raw layer: contracts, landing files, validation, versions in known time, quarantine.

Belongs here: everything between a file somebody exported and a row of ``raw.*``.
Does not belong here: joins between sources (dbt), meaning of a fact (dbt, triggers), Dagster.
"""
