"""Choosing a tagger by name."""

import pytest

from expansion_assets.tagging.tagger import TaggerUnavailableError, choose_tagger


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(TaggerUnavailableError, match=r"unknown tagger 'oracle': choose one of embedded"):
        choose_tagger("oracle")


def test_missing_training_lines_are_named(tmp_path):
    with pytest.raises(TaggerUnavailableError, match=r"nowhere\.jsonl is missing"):
        choose_tagger("embedded", tmp_path / "nowhere.jsonl")
