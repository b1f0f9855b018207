"""What a trigger needs in order to be watched: which columns of an account day, fed by which raw tables.

Belongs here: this one map, read by coverage (account by account) and by the diagnostic (what to mend). Does not belong
here: the names of a trigger's needs (``catalogue/signals.yml``), freshness (contracts), words for pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expansion_assets.catalogue.loader import Trigger


@dataclass(frozen=True)
class Watch:
    """One way to meet a need.

    Attributes:
        source: Source of the contracts.
        flags: Columns of ``features.account_day``; all true, or above 0, when the account is watched this way.
        tables: Raw tables that feed it; any of them is enough.
        column: Column without which their rows say nothing; None when the rows themselves are enough.
        is_limit: The column is a denominator of single accounts (a seat limit), not a column of the whole table.
    """

    source: str
    flags: tuple[str, ...]
    tables: tuple[str, ...]
    column: str | None = None
    is_limit: bool = False

    def is_met(self, day: Mapping[str, Any]) -> bool:
        """Tell whether an account day is watched this way."""
        return all(day.get(flag) for flag in self.flags)


@dataclass(frozen=True)
class Need:
    """One need of a trigger; any one of its watches meets it.

    Attributes:
        key: Name in ``signals.yml`` and in ``readiness.coverage.missing_sources``.
        watches: Ways to meet it.
        reason: Why an account lacks it, when its source as a whole is there.
        after: A need that has to be met first: before that, nobody can tell whether this one is.
    """

    key: str
    watches: tuple[Watch, ...]
    reason: str | None = None
    after: str | None = None

    def is_met(self, day: Mapping[str, Any]) -> bool:
        """Tell whether an account day meets the need."""
        return any(watch.is_met(day) for watch in self.watches)

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables that could meet it."""
        return tuple(table for watch in self.watches for table in watch.tables)


_LINES = ("billing_subscription_lines",)
_TICKET_TEXTS = Watch("support", ("watchable_support", "watchable_ticket_texts"), ("support_tickets",), "body")
_NEEDS = (
    Need("product", (Watch("product", ("watchable_product",), ("product_usage",), "user_id"),)),
    Need("identity", (Watch("identity", ("watchable_identity",), ("identity_directory",)),)),
    Need("billing", (Watch("billing", ("watchable_billing",), _LINES),)),
    # The CRM's accounts are there for every account of the book; what tells of people are its contacts, or alerts.
    Need("crm", (
        Watch("crm", ("watchable_contacts",), ("crm_contacts", "crm_contact_role_changes")),
        Watch("people", ("watchable_people",),
              ("people_job_alerts", "people_signature_changes", "people_absence_patterns")),
    )),
    Need("support", (Watch("support", ("watchable_support",), ("support_tickets",)),)),
    Need("text", (
        _TICKET_TEXTS,
        Watch("feedback", ("watchable_feedback",), ("feedback_nps", "feedback_references")),
        Watch("meetings", ("watchable_meetings",), ("meetings_notes", "meetings_turns")),
        Watch("crm", ("watchable_notes",), ("crm_owner_notes",)),
    )),
)
NEEDS = {need.key: need for need in _NEEDS}
# What a trigger needs beyond whole sources: a denominator, or the words of a ticket.
_BEYOND = {
    "USAGE_MILESTONE": (
        Need("billing", (Watch("billing", ("contracted_seats",), _LINES, "unit", is_limit=True),),
             "no seat limit in the contract lines", after="billing"),
    ),
    "ADVANCED_TICKETS": (Need("text", (_TICKET_TEXTS,), "ticket texts are missing", after="support"),),
}


def needs_of(key: str, trigger: Trigger) -> tuple[Need, ...]:
    """Return the needs of a trigger, whole sources first."""
    return (*(NEEDS[need] for need in trigger.needs), *_BEYOND.get(key, ()))


def unmet(needs: tuple[Need, ...], day: Mapping[str, Any]) -> list[Need]:
    """Return the needs that an account day does not meet; the account is watched when there is none."""
    found: list[Need] = []
    for need in needs:
        if not need.is_met(day) and need.after not in {other.key for other in found}:
            found.append(need)
    return found


def all_watches() -> list[Watch]:
    """Return every watch once, in the order of the needs."""
    needs = [*_NEEDS, *(need for beyond in _BEYOND.values() for need in beyond)]
    return list(dict.fromkeys(watch for need in needs for watch in need.watches))
