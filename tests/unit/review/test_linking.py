"""Events and meetings find their card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from expansion_assets.review.linking import conversations_from_meetings, link_events

OPENED = date(2026, 3, 2)
LINK_DAYS = 120


@dataclass
class Card:
    card_id: str
    detected_on: date = OPENED
    account_id: str = "a"
    trigger: str = "CROSS_TEAM"
    returned: tuple[date, ...] = ()

    @property
    def started_on(self):
        return [self.detected_on, *self.returned]


def event(day: int, card_id=None, account_id="a", trigger="CROSS_TEAM", event_type="accepted", known=0):
    at = datetime.combine(OPENED + timedelta(days=day), datetime.min.time())
    return {"event_id": f"e{day}", "card_id": card_id, "account_id": account_id, "trigger": trigger, "at": at,
            "event_type": event_type, "known_at": at + timedelta(days=known)}


def meeting(day: int, known: int | None = None, account_id="a"):
    at = datetime.combine(OPENED + timedelta(days=day), datetime.min.time())
    known_at = at if known is None else at + timedelta(days=known - day)
    return {"account_id": account_id, "held_at": at, "known_at": known_at}


@pytest.mark.parametrize(
    ("values", "card_id"),
    [
        ({"day": 11, "card_id": "first"}, "first"),  # a later card of the trigger does not matter
        ({"day": 11, "card_id": "first", "account_id": None, "trigger": None}, "first"),
        ({"day": 1, "card_id": "second", "known": 9}, "second"),  # done before the card, logged after
        ({"day": 1, "card_id": "second", "known": 8}, "first"),  # nobody could know that card then
        ({"day": 0}, "first"),
        ({"day": 9}, "first"),
        ({"day": 10}, "second"),  # the latest card open by that day
        ({"day": 130}, "second"),
        ({"day": 131}, None),  # more than 120 days
        ({"day": -1}, None),
        ({"day": 10, "known": -1}, "first"),  # known on day 9, whatever it says of itself
        ({"day": 1, "trigger": "ROLE_CHANGE"}, None),
        ({"day": 1, "account_id": "b"}, None),
        ({"day": 1, "card_id": "unheard of"}, "first"),
    ],
)
def test_link_by_card_else_by_account_and_trigger(values, card_id):
    cards = [Card("first"), Card("second", OPENED + timedelta(days=10))]
    linked = link_events([event(**values)], cards, LINK_DAYS)
    assert [row["card_id"] for row in linked] == ([card_id] if card_id else [])
    assert all(row["account_id"] == "a" and not row["is_inferred"] for row in linked)


@pytest.mark.parametrize("event_type", ["review_signed", "fleet_released"])
def test_signatures_and_releases_belong_to_no_card(event_type):
    of_all = event(1, account_id=None, trigger=None, event_type=event_type)
    of_one = event(1, event_type=event_type)
    assert link_events([of_all, of_one], [Card("first")], LINK_DAYS) == []


@pytest.mark.parametrize(
    ("meetings", "held"),
    [
        ([meeting(0)], []),  # on the day of detection is not after it
        ([meeting(1)], [1]),
        ([meeting(1), meeting(4)], [1]),  # the first one is enough
        ([meeting(120)], [120]),
        ([meeting(121)], []),
        ([meeting(3, account_id="b")], []),
        ([meeting(8), meeting(5, known=9)], [8, 5]),  # an earlier one that becomes known later
    ],
)
def test_a_conversation_is_inferred_from_a_meeting_after_detection(meetings, held):
    rows = conversations_from_meetings(meetings, [Card("first")], [], LINK_DAYS)
    assert [(row["at"].date() - OPENED).days for row in rows] == held
    assert all(row["is_inferred"] and row["event_type"] == "conversation_held" for row in rows)
    assert len({row["event_id"] for row in rows}) == len(rows)


@pytest.mark.parametrize(("day", "known", "count"), [(2, 0, 0), (2, 9, 1), (7, 0, 1)])
def test_a_card_that_had_ended_takes_no_meeting(day, known, count):
    ended = link_events([event(day, event_type="rejected", known=known)], [Card("first")], LINK_DAYS)
    assert len(conversations_from_meetings([meeting(5)], [Card("first")], ended, LINK_DAYS)) == count


def test_each_round_takes_its_own_meeting():
    card = Card("first", returned=(OPENED + timedelta(days=90),))
    rows = conversations_from_meetings([meeting(5), meeting(89), meeting(95)], [card], [], LINK_DAYS)
    assert [(row["at"].date() - OPENED).days for row in rows] == [5, 95]
