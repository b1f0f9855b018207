"""How well the triggers do: firings held against what is known to be true.

Belongs here: precision and recall against an answer key, and their rendering.
Does not belong here: detecting (``triggers``), planting the truth (``world``), Dagster.
"""
