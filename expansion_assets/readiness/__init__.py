"""Readiness: how ready an account is, whether a play may start, and the cards that say so.

Belongs here: score, gates, churn risk, cards and coverage, as pure functions over rows and explicit days. Does not
belong here: detection (``triggers``), review events (``review``), pages (``scan``), anything of Dagster or SQL.
"""
