"""Named random streams: every account and purpose draws from its own, so one more case does not reshuffle the rest.

Belongs here: turning a seed and names into generators. Does not belong here: what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from random import Random

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Generators of one world, each a function of the seed and its names alone."""

    seed: int

    def random(self, *names: object) -> Random:
        """A stream of single draws for these names."""
        return Random(self._key(names))

    def arrays(self, *names: object) -> np.random.Generator:
        """A stream of array draws for these names."""
        digest = blake2b(self._key(names).encode(), digest_size=8).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))

    def _key(self, names: tuple[object, ...]) -> str:
        return "|".join(str(part) for part in (self.seed, *names))
