"""The trigger library as data: thresholds, windows, segments, titles and plays, with their typed loader.

Belongs here: YAML files a business user may edit, the models that validate them, how a job title is read.
Does not belong here: what a threshold is held against (``triggers/``).
"""
