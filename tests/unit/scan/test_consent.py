"""A person without consent and lawful basis is nowhere named; the fact of the account stays."""

from __future__ import annotations

import pytest

from expansion_assets.scan import words
from expansion_assets.scan.consent import hide_people

CARDS = [
    {"firing_id": "F-1", "firing_ids": "F-1", "account_id": "A-1", "trigger": "ROLE_CHANGE", "subject_key": "jane"},
    {"firing_id": "F-2", "firing_ids": "F-2|F-3", "account_id": "A-1", "trigger": "ADJACENT_USE", "subject_key": "x"},
]


def line(firing: str, quote: str | None, measure: str = "new_executive"):
    return {"firing_id": firing, "quote": quote, "measure": measure, "value": 6.0, "threshold": 5.0,
            "source_table": "crm_contact_role_changes", "happened_at": None}


def person(has_basis: bool | None, **changes):
    return {"account_id": "A-1", "person_key": "jane", "name": "Jane Doe", "email": "jane.doe@acme.com",
            "has_basis": has_basis} | changes


@pytest.mark.parametrize("people", [[], [person(None)], [person(False)], [person(True, account_id="A-2")]])
def test_a_new_executive_is_a_function_until_a_basis_is_known(people):
    [hidden] = hide_people([line("F-1", "Chief Financial Officer")], CARDS, people)
    assert words.evidence(hidden) == (
        "Somebody in finance; person hidden, no consent or lawful basis on record (crm contact role changes)"
    )


def test_with_a_basis_the_title_is_shown():
    [shown] = hide_people([line("F-1", "Chief Financial Officer")], CARDS, [person(True)])
    assert words.evidence(shown) == "Title: “Chief Financial Officer” (crm contact role changes)"


@pytest.mark.parametrize(("has_basis", "expected"), [
    (True, "Jane Doe (jane.doe@acme.com) uses Typeform"), (False, "[hidden] ([hidden]) uses Typeform"),
    (None, "[hidden] ([hidden]) uses Typeform"),
])
def test_names_and_addresses_in_quotes(has_basis, expected):
    quote = line("F-3", "Jane Doe (jane.doe@acme.com) uses Typeform", "adjacent")
    [shown] = hide_people([quote], CARDS, [person(has_basis)])
    assert shown["quote"] == expected


def test_other_spellings_and_unknown_people():
    quote = line("F-2", "DOE, Jane and bob@acme.com; Janet Doe stays", "adjacent")
    [shown] = hide_people([quote], CARDS, [person(None)])
    assert shown["quote"] == "[hidden] and [hidden]; Janet Doe stays"


def test_a_namesake_of_another_account_is_not_hidden():
    [shown] = hide_people([line("F-2", "Jane Doe", "adjacent")], CARDS, [person(None, account_id="A-2")])
    assert shown["quote"] == "Jane Doe"


def test_measures_stay_as_they_are():
    measured = line("F-2", None, "active_users_28d")
    assert hide_people([measured], CARDS, [person(None)]) == [measured]
