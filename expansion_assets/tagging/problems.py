"""Which neighbouring problem an adjacent-use quote is about, and which other tool it names.

Belongs here: matching `catalogue/problems.yml`. Does not belong here: whether a text speaks of adjacent use.
"""

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from expansion_assets.tagging.phrases import Lexicon, words_of

PROBLEMS_PATH = Path(__file__).parents[1] / "catalogue" / "problems.yml"
# Cues name a problem, hints fit several: equal weights are seven points worse on the training lines, the exact ratio
# does not matter. A cue in the quoted sentence outweighs up to four elsewhere in the text.
_CUE_WEIGHT, _HINT_WEIGHT = 5, 1
_QUOTE_WEIGHT, _BODY_WEIGHT = 4, 1
# A name nobody listed: a capitalised word after a verb of use ("we use Fibery for that").
_UNLISTED_TOOL = re.compile(
    r"\b(?:use|using|uses|via|through|called)\s+(?:an?\s+)?([A-Z][\w.]*[a-z0-9](?:\s[A-Z]\w+)?)"
)


class Problem(BaseModel):
    """A problem next to the product's own field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    definition: str
    cues: str
    """Words that name the problem: comma separated, in the form of `phrases.yml`."""
    hints: str
    """Words that several problems share and that decide where no cue does; same form."""


class Problems:
    """The taxonomy of neighbouring problems and the list of known tools."""

    def __init__(self, problems: list[Problem], tools: dict[str, str], default: str) -> None:
        """Take problems, tool name -> its spellings, and the key for a problem without any cue."""
        self.keys = tuple(problem.key for problem in problems)
        self._default = default
        self._words = (
            (Lexicon({problem.key: problem.cues for problem in problems if problem.cues}), _CUE_WEIGHT),
            (Lexicon({problem.key: problem.hints for problem in problems if problem.hints}), _HINT_WEIGHT),
        )
        self._tools = Lexicon(tools)
        self._order = {name: rank for rank, name in enumerate(tools)}

    def problem_of(self, quote: str, body: str) -> str:
        """Return the problem key that `quote` and `body` speak of most; the first listed wins a tie."""
        points = dict.fromkeys(self.keys, 0)
        for words, place in ((words_of(quote), _QUOTE_WEIGHT), (words_of(body), _BODY_WEIGHT)):
            for lexicon, weight in self._words:
                for key in lexicon.concepts_in(words):
                    points[key] += place * weight
        best = max(self.keys, key=points.__getitem__)
        return best if points[best] else self._default

    def tool_in(self, quote: str) -> str | None:
        """Return the other tool that `quote` names: a known product, else an unlisted name, else its kind."""
        found = set(self._tools.concepts_in(words_of(quote)))
        if named := min((name for name in found if name[0].isupper()), key=self._order.__getitem__, default=None):
            return named
        if unlisted := _UNLISTED_TOOL.search(quote):
            return unlisted[1]
        return min(found, key=self._order.__getitem__, default=None)


@cache
def load_problem_definitions() -> dict[str, str]:
    """Problem key -> what it is, in the words of `catalogue/problems.yml`."""
    data = yaml.safe_load(PROBLEMS_PATH.read_text(encoding="utf-8"))
    return {row["key"]: row["definition"] for row in data["problems"]}


@cache
def load_problems() -> Problems:
    """Read `catalogue/problems.yml`."""
    data = yaml.safe_load(PROBLEMS_PATH.read_text(encoding="utf-8"))
    return Problems([Problem(**row) for row in data["problems"]], data["tools"], data["default"])
