"""What every tagger offers, and the choice among them.

Belongs here: the interface and the one place that knows taggers by name; a tagger on a language model joins here.
Does not belong here: how any of them works.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from expansion_assets.settings import PROJECT_DIR
from expansion_assets.tagging.schema import Tag, Text

TRAINING_LINES = PROJECT_DIR / "data" / "labelled_texts.jsonl"


class TaggerUnavailableError(RuntimeError):
    """The tagger asked for is unknown, or lacks what it needs to run."""


class Tagger(Protocol):
    """Reads texts and returns tags with proven quotes."""

    version: str
    """Changes whenever the same text could get other tags: part of every tag's key."""

    def tag(self, texts: Sequence[Text]) -> list[Tag]:
        """Return the tags of `texts`, in their order; a text may have none."""
        ...


def choose_tagger(name: str, labelled_path: Path = TRAINING_LINES) -> Tagger:
    """Return the tagger called `name`, ready to use.

    Args:
        name: A key of the table below; `embedded` needs no key and no network.
        labelled_path: Training lines of the embedded tagger.

    Raises:
        TaggerUnavailableError: Unknown name, or the training lines are missing.
    """
    builder = _BUILDERS.get(name)
    if builder is None:
        raise TaggerUnavailableError(f"unknown tagger {name!r}: choose one of {', '.join(sorted(_BUILDERS))}")
    return builder(labelled_path)


def _embedded(labelled_path: Path) -> Tagger:
    # scikit-learn takes about a second to import: only runs that tag pay for it.
    from expansion_assets.tagging.embedded import load_embedded_tagger

    if not labelled_path.is_file():
        raise TaggerUnavailableError(f"tagger 'embedded' has no training lines: {labelled_path.name} is missing")
    return load_embedded_tagger(labelled_path)


_BUILDERS: dict[str, Callable[[Path], Tagger]] = {"embedded": _embedded}
