"""The five triggers: frozen feature rows in, firing events and their evidence out.

Belongs here: one module per trigger, what they share (``base``, ``crossing``), what follows once all have
spoken (``fleet``, ``lifecycle``), supporting signals. Does not belong here: how a feature is computed (dbt),
thresholds (``catalogue/``), what a firing leads to (``readiness``). Frames are Narwhals lazy frames, so the
same code runs on DuckDB, Polars and Spark; ids and evidence lines are plain Python on the few rows that
fired.
"""
