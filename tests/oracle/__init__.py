"""A naive day-by-day oracle of the five triggers, to hold the detectors against.

Belongs here: plain loops over raw rows and tags that say, for each account and day, what was known at the end
of that day and which firings follow. Obvious before fast; 60 accounts x 365 days finish in under a minute.
Does not belong here: anything from ``expansion_assets``, dbt or a frame library. An oracle that shares
code with what it judges proves nothing, so it even reads the catalogue's YAML by itself.
"""

from .oracle import firing_events

__all__ = ["firing_events"]
