"""Texts with nothing in them, which are not worth a request.

Belongs here: the rule and its measured loss. Does not belong here: the embedded tagger, whose first glance it reads.

A text is spared when the embedded tagger's linear model gives none of the five trigger labels as much as `NOTHING`, or
when it has not two words. Measured on texts that the model was not trained on (2026-11-22): of our 371 hold-out lines
14 % are spared (30 % of those without a label) and none of 222 labels is lost; of two sets of others' texts, all picked
for their trigger words, 11 % and 7 % are spared, and 3 of 115 and 5 of 211 labels lost. At 0.1 it would be 15 % and
none, 15 % and 4 of 115, 12 % and 9 of 211.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from expansion_assets.tagging.languages import foreign_language
from expansion_assets.tagging.schema import LABELS, TRIGGER_LABELS, Text
from expansion_assets.tagging.turns import pieces_of

if TYPE_CHECKING:
    from expansion_assets.tagging.embedded import EmbeddedTagger

NOTHING = 0.08
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEWEST_WORDS = 2


def nothing_in_it(embedded: "EmbeddedTagger", texts: Sequence[Text]) -> list[bool]:
    """Whether each text may be spared."""
    columns = [LABELS.index(label) for label in TRIGGER_LABELS]
    pieces = [(at, piece.body) for at, text in enumerate(texts) for piece, _ in pieces_of(text)]
    likeliest = [0.0] * len(texts)
    for (at, _), glance in zip(pieces, embedded.first_glance([body for _, body in pieces]), strict=True):
        likeliest[at] = max(likeliest[at], float(glance[columns].max()))
    return [
        len(_WORD.findall(text.body)) < _FEWEST_WORDS
        # The embedded tagger cannot judge another language; the model can read it.
        or (probability < NOTHING and foreign_language(text.body) is None)
        for text, probability in zip(texts, likeliest, strict=True)
    ]
