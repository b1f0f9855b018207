"""Dagster only: decorators, partitions, I/O and metadata. Logic belongs in the pure packages."""
