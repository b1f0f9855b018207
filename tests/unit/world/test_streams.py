"""Named random streams."""

from expansion_assets.world.streams import Streams


def test_a_stream_depends_on_its_names_alone() -> None:
    first, second = Streams(7), Streams(7)
    second.random("another", 1).random()
    assert first.random("tickets", 3).random() == second.random("tickets", 3).random()
    assert first.arrays("usage", 3).random() == second.arrays("usage", 3).random()


def test_other_names_and_seeds_give_other_draws() -> None:
    streams = Streams(7)
    draws = {
        streams.random("a", 1).random(),
        streams.random("a", 2).random(),
        Streams(8).random("a", 1).random(),
    }
    assert len(draws) == 3
