"""The seeded demo world: one book of customers as landing files, with planted truth.

Belongs here: a generator that writes what real sources would export, and an answer key.
Does not belong here: reading the files (``sources``), detecting anything.
Only the contract files are shared with the rest of the project.
"""

from expansion_assets.world.truth import ANSWER_KEY, Case
from expansion_assets.world.world import HARD_LAST_DAY, HARD_TIME_ZONE, WORLD_FILE, World, generate, is_current

__all__ = [
    "ANSWER_KEY", "HARD_LAST_DAY", "HARD_TIME_ZONE", "WORLD_FILE", "Case", "World", "generate", "is_current",
]
