"""Any body is either events or one clear refusal; what is landed has the columns of its contract."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expansion_assets.sources.contracts import load_contracts
from expansion_assets.sources.intake import IntakeError
from expansion_assets.sources.intake.events import (
    MAX_EVENTS,
    OTHER_MEMBERS,
    BadEvents,
    Feed,
    TooManyEvents,
    feeds_of,
    parse_events,
)
from expansion_assets.sources.mapping import ColumnMapping, History, own_mapping
from tests.unit.sources.intake.intake_requests import alert, as_json

FEED = Feed("/", "people_job_alerts", "people/job_alerts_*.jsonl", frozenset({"alert_id", "move"}), "loaded_at")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from(["alert_id", "move", "loaded_at", "Alert_ID"]) | st.text(), VALUES, max_size=6)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_events_or_a_refusal(body, is_lines):
    try:
        found = parse_events(body, FEED, is_lines=is_lines)
    except BadEvents:
        return
    assert found
    assert all(b"\n" not in event and isinstance(json.loads(event), dict) for event in found)


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_nothing_of_an_event_is_lost_and_unknown_names_never_become_columns(events):
    by_array = parse_events(as_json(events), FEED, is_lines=False)
    by_line = parse_events(b"\r\n\n".join(map(as_json, events)), FEED, is_lines=True)
    assert by_array == by_line
    for event, line in zip(events, by_array, strict=True):
        landed = json.loads(line)
        assert landed.keys() <= FEED.members | {OTHER_MEMBERS}
        assert landed | landed.pop(OTHER_MEMBERS, {}) == event
        backwards = dict(reversed(event.items()))
        assert parse_events(as_json(backwards), FEED, is_lines=False) == [line]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: not JSON"),
        (b"[]", "no event"),
        (b"{", "body: not JSON: Expecting property name"),
        (b'[{"move": "left"}, 7]', "event 2: not a JSON object"),
        (b'"text"', "event 1: not a JSON object"),
        (b'{"move": NaN}', "a number or a nesting"),
        (b'{"move": 1e999}', "a number or a nesting"),
        (b'{"move": ' + b"9" * 5000 + b"}", "a number or a nesting"),
        (b"[" * 100_000, "a number or a nesting"),
        (b'{"move": "\\ud800"}', "surrogate"),
        (b'{"move": "\xff"}', "not UTF-8 at byte 10"),
        ('{"move": "left"}'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_refusal_says_where(body, message):
    with pytest.raises(BadEvents, match=message):
        parse_events(body, FEED, is_lines=False)


def test_a_refused_line_is_named_and_its_content_is_not_repeated():
    with pytest.raises(BadEvents, match="line 3: not JSON") as found:
        parse_events(b'{"move": "left"}\n\n{"person_email": "ann@acme.example"\n', FEED, is_lines=True)
    assert "ann" not in str(found.value)


@pytest.mark.parametrize("is_lines", [True, False])
def test_a_request_is_bounded_in_events(is_lines):
    events = [alert(number) for number in range(MAX_EVENTS + 1)]
    encode = (lambda some: b"\n".join(map(as_json, some))) if is_lines else as_json
    assert len(parse_events(encode(events[:-1]), FEED, is_lines=is_lines)) == MAX_EVENTS
    with pytest.raises(TooManyEvents):
        parse_events(encode(events), FEED, is_lines=is_lines)


def test_a_file_carries_its_day_where_the_loader_looks_for_it(alerts):
    assert alerts.file_of("2025-07-03") == "people/job_alerts_intake_2025-07-03.jsonl"


def tables():
    return own_mapping(load_contracts(), date(2025, 7, 1), None).tables


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "csv"}, "not plain jsonl"),
        ({"files": "alerts_*.jsonl.gz"}, "not plain jsonl"),
        ({"files": "alerts.jsonl"}, r"needs one \*"),
        ({"files": "*/alerts_*.jsonl"}, r"needs one \*"),
        ({"loaded_at": None}, "needs loaded_at as a plain column"),
        ({"loaded_at": ColumnMapping(column="at", formats=("%d.%m.%Y",))}, "needs loaded_at as a plain column"),
    ],
)
def test_a_mapping_that_cannot_take_events_is_named(change, message):
    mapped = tables()
    mapped["people_job_alerts"] = mapped["people_job_alerts"].model_copy(update=change)
    with pytest.raises(IntakeError, match=f"people_job_alerts: .*{message}"):
        feeds_of(mapped)


def test_of_several_inputs_the_first_that_can_be_appended_to_takes_the_events():
    mapped = tables()["people_job_alerts"]
    history = History(key=("alert_id",), order_by=("happened_on",), changed=("to_title",))
    export = mapped.model_copy(update={"format": "csv", "files": "export_*.csv"})
    hook = mapped.model_copy(update={"files": "hook_*.jsonl", "history": history})
    [feed] = feeds_of({"people_job_alerts": export.model_copy(update={"parts": (hook,)})})
    assert feed.files == "hook_*.jsonl"
    assert "to_title" in feed.members
    assert not any(":" in name for name in feed.members)


def test_a_data_set_without_such_tables_is_refused_and_with_one_of_them_served():
    with pytest.raises(IntakeError, match="maps none of the tables"):
        feeds_of({})
    mapped = tables()
    [feed] = feeds_of({"crm_contact_role_changes": mapped["crm_contact_role_changes"]})
    assert feed.path == "/v1/contact-role-changes"


def test_a_mapping_says_which_names_keep_their_place():
    mapped = tables()["people_job_alerts"]
    columns = mapped.columns | {"alert_id": ColumnMapping(column="alertId"), "move": ColumnMapping(value="joined")}
    renamed = mapped.model_copy(update={"columns": columns, "loaded_at": ColumnMapping(column="receivedAt")})
    [feed] = feeds_of({"people_job_alerts": renamed})
    assert {"alertId", "happened_on"} <= feed.members
    assert not {"alert_id", "move", "receivedAt"} & feed.members
    assert replace(feed, members=frozenset()).loaded_at == "receivedAt"
