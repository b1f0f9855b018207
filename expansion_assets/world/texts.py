"""The bank of hand-written texts and who gets which.

Belongs here: reading ``texts/*.jsonl`` and handing texts out. Does not belong here: filing them as tickets or answers.
Each text is used once as long as its file lasts; a larger world then starts the file again in a new order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from expansion_assets.world.streams import Streams

BANK_DIR = Path(__file__).parent / "texts"
Text = dict[str, Any]


class TextBank:
    """Texts by file name, shuffled once by the world's seed."""

    def __init__(self, streams: Streams, directory: Path = BANK_DIR) -> None:
        """Read every file of the folder; nothing is taken yet."""
        self._streams = streams
        self._texts = {path.stem: _read(path) for path in sorted(directory.glob("*.jsonl"))}
        self._left: dict[str, list[Text]] = {}
        self.rounds: dict[str, int] = dict.fromkeys(self._texts, 0)
        for name in self._texts:
            self._refill(name)

    def take(self, name: str, where: Callable[[Text], bool] = lambda text: True) -> Text:
        """Take the next text of a file that fits; raises LookupError when none of the file ever fits."""
        for _ in range(2):
            for position, text in enumerate(self._left[name]):
                if where(text):
                    return self._left[name].pop(position)
            self._refill(name)
        raise LookupError(f"no text of {name} fits")

    def _refill(self, name: str) -> None:
        self.rounds[name] += 1
        texts = list(self._texts[name])
        self._streams.random("bank", name, self.rounds[name]).shuffle(texts)
        self._left[name] = self._left.get(name, []) + texts


def _read(path: Path) -> list[Text]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
