"""The readiness page: what each trigger sees through each source, what stands in the way, and which fix covers most.

Belongs here: the diagnostic's rows in words and figures that people read. Does not belong here: what is watchable or
what a fix would cover (``readiness.diagnostic``), markup (``templates``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from expansion_assets.readiness.diagnostic import ALL_SOURCES, BLIND, ONE_CLEAN_UP, WATCHABLE
from expansion_assets.scan import words

Row = dict[str, Any]
STATES = {
    WATCHABLE: ("watchable now", "good"), ONE_CLEAN_UP: ("one clean-up away", "warn"), BLIND: ("blind", "bad"),
}
SOURCES = {
    "product": "Product telemetry", "identity": "Identity (SSO)", "crm": "CRM", "people": "Job changes",
    "billing": "Contracts and billing", "support": "Support", "feedback": "Feedback", "meetings": "Meetings",
}


def build_readiness(as_of: date, diagnostic: Iterable[Mapping[str, Any]], fixes: Iterable[Mapping[str, Any]]) -> Row:
    """Build the data of the readiness page.

    Args:
        as_of: Day of the page.
        diagnostic: Rows of ``readiness.diagnostic``; those of other days are ignored.
        fixes: Rows of ``readiness.fixes``, likewise.

    Returns:
        ``as_of, totals, triggers`` (blind ones first, each with its ``sources``), ``fixes`` (one step) and
        ``two_steps``, both with the most ARR first.
    """
    rows = [row for row in diagnostic if row["as_of_date"] == as_of]
    overall = [row for row in rows if row["source"] == ALL_SOURCES]
    order = list(STATES)
    triggers = [
        {**_state(row), **_covers(row), **_fix(row), "trigger": row["trigger"],
         "name": words.TRIGGERS.get(row["trigger"], row["trigger"]),
         "sources": [
             _source(part, as_of) for part in rows
             if part["trigger"] == row["trigger"] and part["source"] != ALL_SOURCES
         ]}
        for row in sorted(overall, key=lambda row: -order.index(row["state"]))
    ]
    ranked = sorted((row for row in fixes if row["as_of_date"] == as_of), key=lambda row: row["fix_rank"])
    states = {state: sum(row["state"] == state for row in overall) for state in STATES}
    first: Mapping[str, Any] = overall[0] if overall else {
        "accounts_total": 0, "arr_total": 0.0, "accounts_arr_unknown": 0, "currency": None
    }
    return {
        "as_of": as_of,
        "totals": {
            "accounts": first["accounts_total"], "arr": words.money(first["arr_total"], first["currency"]),
            "currency": first["currency"], "accounts_arr_unknown": first["accounts_arr_unknown"],
            "line": _states_line(states), "states": states,
        },
        "triggers": triggers,
        "fixes": [_ranked(row) for row in ranked if row["steps"] == 1],
        "two_steps": [_ranked(row) for row in ranked if row["steps"] > 1],
    }


def summary(data: Mapping[str, Any], most: int = 8) -> str:
    """Return the page in the few lines that a terminal shows."""
    totals = data["totals"]
    lines = [
        f"Readiness on {words.day(data['as_of'])}: {words.count(totals['accounts'], 'account')}, ARR {totals['arr']}",
    ]
    for row in data["triggers"]:
        share = f", {row['arr_share']} of ARR" if row["arr_share"] else ""
        lines += [
            "", f"{row['trigger']}: {row['state_label']}; {row['accounts']} accounts{share}",
            *(f"  {part['name']:<23}{part['state_label']:<24}{part['accounts']} accounts" for part in row["sources"]),
            *([f"  > {_plain(row)}"] if row["fix"] else []),
        ]
    for title, fixes in (("Fixes by the ARR they would newly cover:", data["fixes"]),
                         ("In two steps:", data["two_steps"])):
        if fixes:
            lines += ["", title, *(f"  {n}. {_plain(fix)}" for n, fix in enumerate(fixes[:most], start=1))]
            if len(fixes) > most:
                lines.append(f"  and {len(fixes) - most} more")
    return "\n".join(lines).replace("`", "")


def _states_line(states: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {STATES[state][0]}" for state, count in states.items() if count)


def _plain(row: Mapping[str, Any]) -> str:
    return f"{row['fix']}: {row['gain']}" if row["gain"] else str(row["fix"])


def _state(row: Mapping[str, Any]) -> Row:
    label, tone = STATES[row["state"]]
    is_part = row["state"] == WATCHABLE and row["accounts_watchable"] < row["accounts_total"]
    return {"state": row["state"], "state_label": f"{label} in part" if is_part else label, "tone": tone}


def _covers(row: Mapping[str, Any]) -> Row:
    return {
        "accounts": f"{row['accounts_watchable']:,} of {row['accounts_total']:,}",
        "blind_accounts": row["accounts_total"] - row["accounts_watchable"],
        "arr_share": share(row["arr_covered"] / row["arr_total"]) if row["arr_total"] else None,
        "arr_covered": words.money(row["arr_covered"], row["currency"]),
    }


def _fix(row: Mapping[str, Any]) -> Row:
    if not row["fix"]:
        return {"fix": None, "gain": None, "fix_note": None}
    if row["fix_steps"] > 1:
        note = f"takes {row['fix_steps']} steps"
    elif not row["is_fix_enough"]:
        note = "not enough alone"
    else:
        note = "needs new data" if row["fix_kind"] == "acquire" else "one clean-up"
    gain = _gain(row) if row["accounts_gained"] else None
    return {"fix": row["fix"][:1].upper() + row["fix"][1:], "gain": gain, "fix_note": note}


def _gain(row: Mapping[str, Any]) -> str:
    most = "at most " if row["is_at_most"] else ""
    accounts = words.count(row["accounts_gained"], "account")
    return f"{most}{accounts}, {words.money(row['arr_gained'], row['currency'])} ARR would be covered"


def _ranked(row: Mapping[str, Any]) -> Row:
    unknown = row["accounts_arr_unknown"]
    return {
        "fix": row["fix"][:1].upper() + row["fix"][1:], "gain": _gain(row), "arr_gained": row["arr_gained"],
        "accounts_gained": row["accounts_gained"], "is_clean_up": row["is_clean_up"],
        "unknown": f"the ARR of {words.count(unknown, 'account')} among them is unknown" if unknown else None,
        "triggers": [words.TRIGGERS.get(key, key) for key in row["triggers"].split("|")],
    }


def _source(row: Mapping[str, Any], as_of: date) -> Row:
    newest, allowed = row["newest_record_on"], row["freshness_days"]
    age = (as_of - newest).days if newest is not None else None
    return {
        **_state(row), **_covers(row), **_fix(row), "source": row["source"],
        "name": SOURCES.get(row["source"], row["source"]),
        "newest": words.day(newest) if newest is not None else None,
        "age": None if age is None else "today" if age == 0 else f"{words.count(age, 'day')} old",
        "allowed": f"stale from {words.count(allowed, 'day')}" if allowed is not None else "any age will do",
        "is_stale": age is not None and allowed is not None and age >= allowed,
        "match": _match(row), "history": _history(row), "is_alternative": row["is_alternative"],
    }


def _match(row: Mapping[str, Any]) -> str | None:
    """The recent rows only: a share of ARR below 100 % may also be accounts of which nothing was recorded lately."""
    if row["rows_match_rate"] is None:
        return None
    rows = f"{share(row['rows_match_rate'])} of recent rows"
    return rows if row["arr_match_rate"] is None else f"{rows}, from {share(row['arr_match_rate'])} of ARR"


def _history(row: Mapping[str, Any]) -> str | None:
    months, assumed = row["history_months"], row["history_months_assumed"]
    if months is None:
        return None
    if row["is_history_assumed"]:
        return f"none with real load times; {assumed:g} months with assumed ones"
    return f"{months:g} months" + (f"; {assumed:g} with load times in part assumed" if assumed is not None else "")


def share(value: float) -> str:
    """Return a share as a percentage that says 100 or 0 only when it is all or nothing."""
    percent = 100 * value
    if 0 < percent < 1 or 99 < percent < 100:
        return "under 1 %" if percent < 1 else "over 99 %"
    return f"{percent:.0f} %"
