"""Gates: rules that judge whether a play may start (DOMAIN §6).

Belongs here: one function per rule, and what the rules say together. Does not belong here: which firings become cards
(``plays.py``), due dates and statuses (``cards.py``), the numbers (``catalogue/gates.yml``).

A rule passes, holds (with what releases it), stops, or does not know. Not knowing never blocks: the card stays clear
with "verify ...".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from expansion_assets.catalogue.plays_loader import Gates, Play

SEVERITY = {"pass": 0, "unknown": 0, "hold": 1, "stop": 2}
OUTCOMES = ("clear", "hold", "stop")


@dataclass(frozen=True)
class GateResult:
    """What one rule says of one card on one day."""

    rule: str
    result: str
    evidence: str
    release_condition: str | None = None
    retest_on: date | None = None
    verify: str | None = None


@dataclass(frozen=True)
class Contact:
    """An ask or a refusal on another card of the account, as known on the day."""

    kind: str
    """``ask`` or ``rejection``."""
    on: date
    motion: str


@dataclass(frozen=True)
class Facts:
    """What the rules may look at.

    Attributes:
        day: Row of ``features.account_day``; empty when the account has none.
        as_of: Day of judgement.
        play: Play of the card.
        department: Department that the firing is about, when it is about one.
        contacts: Asks and rejections on other cards of the account.
    """

    day: Mapping[str, Any]
    as_of: date
    play: Play
    department: str | None
    contacts: tuple[Contact, ...]

    def is_known(self, source: str) -> bool:
        """Tell whether a source is watchable for the account."""
        return bool(self.day.get(f"watchable_{source}"))


Rule = Callable[[Facts, Gates], GateResult]


def owner(facts: Facts, gates: Gates) -> GateResult:
    """A person owns the account."""
    if facts.day.get("owner_id"):
        return GateResult("owner", "pass", f"owner {facts.day['owner_id']}")
    if not facts.is_known("crm"):
        return GateResult("owner", "unknown", "the CRM is not watchable", verify="who owns the account")
    return GateResult("owner", "hold", "no owner in the CRM", "An owner is assigned in the CRM")


def consent(facts: Facts, gates: Gates) -> GateResult:
    """Somebody at the customer may be contacted.

    No known consent hides persons, not the account: only a customer all of whose contacts refused is a stop.
    """
    agreed, refused = facts.day.get("consented_contacts"), facts.day.get("refused_contacts")
    if agreed:
        return GateResult("consent", "pass", f"{agreed} contact{'s' * (agreed != 1)} with consent or lawful basis")
    if agreed is not None and refused:
        return GateResult("consent", "stop", f"all {refused} known contacts refused contact",
                          "A contact with consent or lawful basis is on record")
    return GateResult("consent", "unknown", "no consent on record",
                      verify="whom you may contact (no consent on record)")


def value_proof(facts: Facts, gates: Gates) -> GateResult:
    """The customer has recent proof of value."""
    proven_on, limit = facts.day.get("last_value_proof_on"), gates.rules.value_proof_days
    if proven_on is None:
        if not facts.is_known("engagement"):
            return GateResult("value_proof", "unknown", "value milestones are not watchable",
                              verify="that the customer has seen recent value")
        return GateResult("value_proof", "hold", "no value milestone or outcome on record",
                          "A value milestone or outcome is recorded")
    age = (facts.as_of - proven_on).days
    if age <= limit:
        return GateResult("value_proof", "pass", f"value shown on {proven_on:%-d %b %Y}")
    return GateResult("value_proof", "hold", f"last value shown {age} days ago (limit {limit})",
                      "A newer value milestone or outcome is recorded")


def open_issue(facts: Facts, gates: Gates) -> GateResult:
    """No open ticket of the firing's department; no high-priority or escalated one anywhere."""
    day = facts.day
    if not facts.is_known("support"):
        return GateResult("open_issue", "unknown", "support is not watchable", verify="that no support issue is open")
    issues = []
    if high := day.get("open_high_tickets") or 0:
        issues.append(_count(high, "open high-priority ticket"))
    if escalated := day.get("open_escalations") or 0:
        issues.append(_count(escalated, "open escalation"))
    departments = {name.strip().casefold() for name in (day.get("open_ticket_departments") or "").split("|")} - {""}
    if facts.department and facts.department.casefold() in departments:
        issues.append(f"an open ticket from {facts.department}")
    if issues:
        return GateResult("open_issue", "hold", ", ".join(issues), "These tickets are closed")
    if facts.department and (day.get("open_tickets") or 0) and not departments:
        return GateResult("open_issue", "unknown", "open tickets without department",
                          verify=f"that no open ticket is from {facts.department}")
    return GateResult("open_issue", "pass", "no open issue stands in the way")


def open_escalation(facts: Facts, gates: Gates) -> GateResult:
    """No escalated ticket is open."""
    if not facts.is_known("support"):
        return GateResult("open_escalation", "unknown", "support is not watchable", verify="that nothing is escalated")
    if escalated := facts.day.get("open_escalations") or 0:
        return GateResult("open_escalation", "hold", _count(escalated, "open escalation"), "The escalation is closed")
    return GateResult("open_escalation", "pass", "nothing is escalated")


def relationship(facts: Facts, gates: Gates) -> GateResult:
    """No recent detractor, no long overdue invoice, health not red."""
    day, rules = facts.day, gates.rules
    risks, blind, retest_on = [], [], None
    if is_detractor(day, facts.as_of, gates):
        risks.append(f"a detractor (score {day['last_nps_score']}) on {day['last_nps_on']:%-d %b %Y}")
        retest_on = day["last_nps_on"] + timedelta(days=rules.detractor_days + 1)
    elif not facts.is_known("feedback"):
        blind.append("survey answers")
    late = day.get("invoice_days_late")
    if late is None:
        blind.append("invoices")
    elif late > rules.invoice_late_days:
        risks.append(f"an invoice {late} days late")
        retest_on = None
    if day.get("health_band") is None:
        blind.append("health")
    elif day["health_band"] == rules.health_red:
        risks.append("health is red")
        retest_on = None
    if risks:
        return GateResult("relationship", "hold", ", ".join(risks), "The relationship is mended", retest_on)
    if blind:
        return GateResult("relationship", "unknown", f"not known: {', '.join(blind)}",
                          verify=f"the relationship ({', '.join(blind)} not known)")
    return GateResult("relationship", "pass", "no detractor, no late invoice, health not red")


def timing(facts: Facts, gates: Gates) -> GateResult:
    """No cool-down runs after an ask or a rejection, and the opt-out deadline is not at hand."""
    rules, waits = gates.rules, []
    for contact in facts.contacts:
        if contact.kind == "ask":
            end = contact.on + timedelta(days=rules.ask_cooldown_days)
            text = f"asked on {contact.on:%-d %b %Y}"
        elif contact.motion == facts.play.motion:
            end = contact.on + timedelta(days=rules.rejection_cooldown_days)
            text = f"rejected on {contact.on:%-d %b %Y}"
        else:
            continue
        if contact.on <= facts.as_of < end:
            waits.append((end, text))
    opt_out_on = facts.day.get("opt_out_on")
    if opt_out_on is not None and 0 <= (opt_out_on - facts.as_of).days <= rules.opt_out_quiet_days:
        waits.append((opt_out_on + timedelta(days=1), f"opt-out deadline on {opt_out_on:%-d %b %Y}"))
    if waits:
        end = max(wait[0] for wait in waits)
        evidence = ", ".join(dict.fromkeys(text for _, text in sorted(waits)))
        return GateResult("timing", "hold", evidence, f"{end:%-d %b %Y} is reached", end)
    if opt_out_on is None:
        return GateResult("timing", "unknown", "opt-out deadline not known", verify="the opt-out deadline")
    return GateResult("timing", "pass", "no cool-down runs, no opt-out deadline at hand")


def goal_match(facts: Facts, gates: Gates) -> GateResult:
    """The ask serves a goal that the customer stated."""
    goals = {goal.strip() for goal in (facts.day.get("goal_motions") or "").split("|")} - {""}
    if not goals:
        return GateResult("goal_match", "unknown", "no stated goal on record",
                          verify="which goal of theirs this serves")
    served = goals & set(gates.goal_motions.get(facts.play.motion, (facts.play.motion,)))
    if served:
        return GateResult("goal_match", "pass", f"serves a stated goal ({', '.join(sorted(served))})")
    return GateResult("goal_match", "hold", f"stated goals are about {', '.join(sorted(goals))}",
                      "A goal that this serves is on record")


def context_conflict(facts: Facts, gates: Gates) -> GateResult:
    """The sources agree about the customer: no use after churn in the CRM, no green health beside a detractor."""
    day, compared = facts.day, False
    status = day.get("account_status")
    if status is not None and day.get("active_users_28d") is not None:
        compared = True
        if status != "customer" and day["active_users_28d"] > 0:
            return GateResult("context_conflict", "stop",
                              f"the CRM says {status}, {day['active_users_28d']} users active",
                              "The CRM and the product agree on what the account is")
    if day.get("health_band") == "green" and is_detractor(day, facts.as_of, gates):
        return GateResult("context_conflict", "hold", "health is green beside a recent detractor",
                          "The owner has settled which of the two is right")
    if not compared:
        return GateResult("context_conflict", "unknown", "too few sources to compare",
                          verify="that what we know of the customer is right")
    return GateResult("context_conflict", "pass", "the sources agree")


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (owner, consent, value_proof, open_issue, open_escalation, relationship, timing, goal_match,
                 context_conflict)
}


def is_detractor(day: Mapping[str, Any], as_of: date, gates: Gates) -> bool:
    """Tell whether the last survey answer is a detractor's and recent enough to matter."""
    score, answered_on = day.get("last_nps_score"), day.get("last_nps_on")
    if score is None or answered_on is None:
        return False
    return score <= gates.rules.detractor_max_score and (as_of - answered_on).days <= gates.rules.detractor_days


def judge(facts: Facts, gates: Gates) -> list[GateResult]:
    """Apply the gates that a play needs, in the order of ``gates.yml``."""
    return [RULES[rule](facts, gates) for rule in gates.sets[facts.play.gates]]


def outcome(results: Iterable[GateResult]) -> str:
    """Return the strictest result: clear, hold or stop."""
    return OUTCOMES[max((SEVERITY[result.result] for result in results), default=0)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
