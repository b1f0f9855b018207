"""Verdicts on one day: what the detectors saw, beside what the event log says, on both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expansion_assets.triggers import role_change, usage_milestone
from expansion_assets.triggers.explain import explain

SEATS = {"contracted_seats": 100, "assigned_seats": 40, "active_assigned_users_28d": 30}


def seat_days(on, users, **columns):
    return [
        {"as_of_date": on(number), "active_users_28d": active, "watchable_product": active is not None}
        | SEATS | columns
        for number, active in enumerate(users)
    ]


def verdicts(found, *rules):
    return {item.sub_trigger: item.verdict for item in found if item.sub_trigger in rules}


def rule(found, name):
    return [item for item in found if item.sub_trigger == name]


@pytest.fixture
def explained(book, on):
    """Explain account ``a`` on a day, from the log that the detector wrote up to it."""

    def run(number, log=(), **tables):
        known = [event for event in log if event.as_of_date <= on(number)]
        return explain(book.inputs(**tables), ["a"], on(number), {"a": known}, book.catalogue)["a"]

    return run


def test_a_level_fires_stands_and_is_over_when_the_detector_says_so(book, on, explained):
    users = [70, 79, 80, 85, *[60] * 16, 80, None]
    rows = seat_days(on, users)
    log = book.detect(usage_milestone, on(0), on(len(users)), account_day=rows).events
    told = [verdicts(explained(number, log, account_day=rows), "seats")["seats"] for number in range(len(users))]
    assert told == [
        "not_met", "not_met", "fired", "open", *["open"] * 13, *["not_met"] * 3, "fired", "no_reading",
    ]


def test_value_stands_beside_threshold_and_says_what_re_arms(on, explained, book):
    rows = seat_days(on, [70, 81, 74])
    [below] = rule(explained(0, account_day=rows), "seats")
    assert [(line.measure, line.value, line.threshold) for line in below.lines][:1] == [("active_users_28d", 70, 80)]
    log = book.detect(usage_milestone, on(0), on(3), account_day=rows).events
    [standing] = rule(explained(2, log, account_day=rows), "seats")
    assert (standing.verdict, standing.since, standing.rearm_days, standing.is_calm) == ("open", on(1), 14, True)


def test_grace_says_whether_the_condition_holds(on, explained):
    for users, reason in ((90, "met"), (10, "not met")):
        rows = seat_days(on, [users], first_paid_on=on(-30))
        [said] = rule(explained(0, account_day=rows), "seats")
        assert (said.verdict, said.reason) == ("grace", reason)


def test_a_fleet_event_is_told_apart(book, on, explained):
    rows = seat_days(on, [70, 81, 82])
    events = book.detect(usage_milestone, on(0), on(3), account_day=rows).events
    log = [replace(event, is_fleet_event=True) for event in events]
    [said] = rule(explained(2, log, account_day=rows), "seats")
    assert (said.verdict, said.since) == ("fleet_event", on(1))


def test_groups_in_scope_are_left_out(on, explained):
    days = {"as_of_date": on(0), "users_2of14": 2}
    groups = [days, days | {"group_key": "Sales", "is_in_scope": True, "users_2of14": 40}]
    [said] = rule(explained(0, group_day=groups), "new_department")
    assert (said.subject_key, said.verdict, said.lines[0].value) == ("department:Legal", "not_met", 2)


def test_an_account_with_few_questions_is_counted_all_the_same(on, explained):
    texts = [{"text_id": "t1", "requester_key": "p", "topic": "api", "happened_on": on(1), "known_on": on(1)}]
    tags = [{"tag_id": "g1", "text_id": "t1", "label": "advanced_intent"}]
    days = [{"as_of_date": on(number)} for number in range(3)]
    [said] = rule(explained(2, account_day=days, texts=texts, tags=tags), "advanced_shift")
    measures = {line.measure: (line.value, line.threshold) for line in said.lines}
    assert said.verdict == "not_met"
    assert measures["advanced_tickets"] == (1, 3)
    assert said.lines[-1].quote == "so it is written"


def test_moves_that_do_not_count_are_counted(book, on, explained):
    moves = [
        {"move": "joined", "to_title": "Analyst", "function": "finance", "known_on": on(1), "row_key": "1"},
        {"move": "title_changed", "from_title": "Manager", "to_title": "Senior Manager, EMEA", "known_on": on(2),
         "is_known_contact": False, "row_key": "2"},
        {"move": "joined", "to_title": "Vice President Finance", "function": "finance", "known_on": on(3),
         "person_key": "p2", "row_key": "3"},
    ]
    log = book.detect(role_change, on(0), on(5), contact_moves=moves).events
    before, after = (explained(number, log, contact_moves=moves) for number in (2, 4))
    assert rule(before, "new_executive")[0].near_misses == (("joined below the rank, or in another function", 1),)
    assert rule(before, "promotion")[0].near_misses == (("not a known contact", 1),)
    [executive] = rule(after, "new_executive")
    assert (executive.verdict, executive.subject_key, executive.since) == ("open", "p2", on(3))
    assert verdicts(after, "champion_left", "renewal_contact") == {
        "champion_left": "nothing_known", "renewal_contact": "nothing_known",
    }


def test_a_contact_of_long_standing_is_a_near_miss(on, explained):
    moves = [{"known_on": on(1), "move": "joined", "to_title": "VP Operations", "contact_days": 200}]
    [said] = rule(explained(2, contact_moves=moves), "new_executive")
    assert said.near_misses == (("said to join, but had been a contact before", 1),)


def test_mentions_that_do_not_count_are_counted(on, explained):
    spoken = [("t1", "customer", {}), ("t2", "vendor", {}), ("t3", "customer", {"is_quote_found": False}),
              ("t4", "customer", {"polarity": "negated"}), ("t5", "customer", {"problem_key": None})]
    texts = [{"text_id": text, "speaker_side": side, "known_on": on(1)} for text, side, _ in spoken]
    tags = [
        {"tag_id": f"g{text}", "text_id": text, "label": "adjacent_use", "problem_key": "reporting"} | tag
        for text, _, tag in spoken
    ]
    [said] = rule(explained(2, texts=texts, tags=tags), "adjacent_problem")
    assert said.verdict == "nothing_known"
    assert dict(said.near_misses) == {
        "said by our side": 1, "quote not found in the text": 1, "said as negated": 1,
        "no problem of the taxonomy named": 1,
    }


def test_every_rule_of_the_catalogue_is_told_in_its_order(book, explained):
    expected = [
        (trigger, name)
        for trigger, definition in book.catalogue.signals.triggers.items()
        for name in definition.sub_triggers
    ]
    assert [(item.trigger, item.sub_trigger) for item in explained(0)] == expected
