"""Expansion assets: which accounts are ready to grow, why, and what to do this week."""
