"""Shared by the tagging tests: the tagger is trained once per session."""

import pytest

from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.tagger import TRAINING_LINES, Tagger, choose_tagger


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return choose_tagger("embedded")


@pytest.fixture(scope="session")
def training() -> list[LabelledText]:
    return read_labelled(TRAINING_LINES)


@pytest.fixture(scope="session")
def holdout() -> list[LabelledText]:
    return read_labelled(TRAINING_LINES.with_name("labelled_holdout.jsonl"))
