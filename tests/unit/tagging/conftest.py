"""Shared by the tagging tests: the tagger is trained once per session."""

import pytest

from expansion_assets.settings import Settings
from expansion_assets.tagging.labelled import LabelledText, read_labelled
from expansion_assets.tagging.tagger import HOLDOUT_LINES, TRAINING_LINES, Tagger, embedded_tagger


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return embedded_tagger(Settings())


@pytest.fixture(scope="session")
def training() -> list[LabelledText]:
    return read_labelled(TRAINING_LINES)


@pytest.fixture(scope="session")
def holdout() -> list[LabelledText]:
    return read_labelled(HOLDOUT_LINES)
