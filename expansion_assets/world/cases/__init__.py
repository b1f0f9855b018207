"""Planted cases: one module per trigger, each with its true cases and decoys, and the roster that places them.

Belongs here: planting and its answer-key lines. Does not belong here: the ordinary life around the cases.
"""
