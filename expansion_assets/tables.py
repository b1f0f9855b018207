"""Tables that Python writes and other layers read: one typed definition each, used by writers, checks and dbt sources.

Belongs here: names, columns, types and meaning. Does not belong here: raw tables (their contracts), dbt marts (yml).
Events are append-only; a column may be added, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """One table: columns as name -> (SQL type, meaning); a nullable column's type ends with ``?``."""

    schema: str
    name: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, tuple[str, str]]
    window_column: str | None = None
    """Date column by which a run replaces its window; None for tables that a run rewrites whole or only adds to."""
    allowed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"

    def sql_type(self, column: str) -> str:
        """Type of a column without the mark of nullability."""
        return self.columns[column][0].removesuffix("?")

    def required(self) -> list[str]:
        """Columns that are never null."""
        return [name for name, (sql_type, _) in self.columns.items() if not sql_type.endswith("?")]

    def ddl(self) -> str:
        """``create table if not exists``."""
        columns = ", ".join(f'"{name}" {self.sql_type(name)}' for name in self.columns)
        return f"create table if not exists {self.full_name} ({columns})"


RUN_WINDOW = Table(
    "control", "run_window", "The one row that says which days this run computes, [start, end).", ("window_start",),
    {"window_start": ("date", "First day."), "window_end": ("date", "Day after the last.")},
)
DAYS = Table(
    "control", "days", "Every day the workspace knows, with the instant at which its knowledge ends.", ("as_of_date",),
    {
        "as_of_date": ("date", "Day."),
        "known_before": ("timestamp", "First instant after the day in the workspace time zone, UTC."),
    },
)
CALENDAR = Table(
    "control", "calendar", "Working days by country: weekends and public holidays.", ("country", "day"),
    {
        "country": ("varchar", "ISO 3166 country."),
        "day": ("date", "Day."),
        "is_business_day": ("boolean", "Neither weekend nor public holiday."),
        "business_day_no": ("integer", "Working days up to and including this day."),
    },
)
PLAN_LINES = Table(
    "control", "plan_lines", "The scan's lines that count plays, from catalogue/plans.yml.",
    ("line_key", "trigger", "play"),
    {
        "line_key": ("varchar", "Line of the scan."),
        "trigger": ("varchar?", "Trigger counted."),
        "play": ("varchar?", "Play counted."),
        "sla_business_days": ("integer?", "Working days from detection."),
        "period_days": ("integer", "Length of the period."),
    },
)
_LIST_VERSION = ("varchar", "Public-suffix list and free-mail list that were used.")
_HOST_STATUS = (
    "varchar", "company (may lead to an account), free_mail, public_suffix, no_domain (IP, bare host) or malformed.",
)
ADDRESSES = Table(
    "identity", "addresses",
    "Each spelling of an e-mail address that raw tables hold, with its person, its company and whether it is a user.",
    ("address",),
    {
        "address": ("varchar", "The address as a source spelt it. Personal data: never leaves the warehouse."),
        "person_key": ("varchar?", "Keyed pseudonym of the mailbox: case, display name and plus tag do not matter."),
        "status": _HOST_STATUS,
        "registrable_domain": ("varchar?", "Registered domain, in punycode."),
        "is_free_mail": ("boolean", "Anybody may have a mailbox there: no employer, no account."),
        "user_kind": ("varchar?", "service, internal, contractor or vendor, when a rule of identity.yml hits."),
        "user_kind_rule": ("varchar?", "That rule."),
        "list_version": _LIST_VERSION,
    },
)
DOMAINS = Table(
    "identity", "domains", "Each spelling of a web domain that raw tables hold, with the company that registered it.",
    ("domain",),
    {
        "domain": ("varchar", "The domain as a source spelt it."),
        "status": _HOST_STATUS,
        "registrable_domain": ("varchar?", "Registered domain, in punycode."),
        "is_free_mail": ("boolean", "Anybody may have a mailbox there: no employer, no account."),
        "list_version": _LIST_VERSION,
    },
)
NAMES = Table(
    "identity", "names", "Each spelling of a person's name that raw tables hold, with its pseudonym.", ("name",),
    {
        "name": ("varchar", "The name as a source spelt it. Personal data: never leaves the warehouse."),
        "name_key": ("varchar?", "Keyed pseudonym of the name: case and spacing do not matter."),
    },
)
TITLES = Table(
    "identity", "titles",
    "Each spelling of a job title or business function that a count reads, with its rank and function by titles.yml.",
    ("title",),
    {
        "title": ("varchar", "The title as a source spelt it."),
        "rank_no": ("integer?", "Place of its rank in titles.yml, 0 = lowest."),
        "function": ("varchar?", "Business function it names."),
    },
)
IDENTITY_METHOD = Table(
    "control", "identity_method", "The one row that says how identity.* was computed.", ("key_fingerprint",),
    {
        "list_version": _LIST_VERSION,
        "rules_version": ("varchar", "Hash of the rules for users that do not count and of the patterns of titles."),
        "key_fingerprint": ("varchar", "Tells one pseudonym key from another, without giving it away."),
    },
)
TAGS = Table(
    "text", "tags", "What the tagger read in a text: one row per label and quote.", ("tag_id",),
    {
        "tag_id": ("varchar", "Stable id."),
        "text_id": ("varchar", "Text."),
        "content_hash": ("varchar", "Hash of the text that was read."),
        "tagger_version": ("varchar", "Model and training lines."),
        "label": ("varchar", "Closed label."),
        "problem_key": ("varchar?", "Neighbouring problem, for adjacent_use."),
        "tool": ("varchar?", "Other tool, for adjacent_use."),
        "probability": ("double", "0 to 1."),
        "polarity": ("varchar", "affirmed, negated, hypothetical, quoted or vendor_side."),
        "intent": ("varchar?", "declared, blocked_now, evaluating, curious or structural."),
        "quote": ("varchar?", "Verbatim slice of the stored text."),
        "quote_start": ("bigint?", "First character of the slice, 0-based."),
        "quote_end": ("bigint?", "Character after the slice."),
        "is_quote_found": ("boolean", "Proven by code: the slice stands there."),
        "is_unsure": ("boolean?", "True under the tagger's bar: kept for a second look, counts nowhere."),
        "known_on": ("date", "Day on which the text became known."),
    },
    "known_on",
    {
        "label": ("advanced_intent", "basic_intent", "adjacent_use", "role_change", "cross_team", "usage_limit"),
        "polarity": ("affirmed", "negated", "hypothetical", "quoted", "vendor_side"),
    },
)
READINGS = Table(
    "text", "readings", "Which text was read by which tagger, tags or none: nothing is read twice.",
    ("text_id", "content_hash", "tagger_version"),
    {
        "text_id": ("varchar", "Text."),
        "content_hash": ("varchar", "Hash of the text that was read."),
        "tagger_version": ("varchar", "Model and training lines, or model and prompt."),
        "tags": ("integer", "Tags found."),
        "known_on": ("date", "Day on which the text became known."),
        "read_at": ("timestamp", "When it was read, UTC."),
        "status": (
            "varchar",
            "read; spared: nothing in it, or a language that the tagger does not read; "
            "failed: no useful answer; queued: left for a later run; submitted: "
            "in a batch job.",
        ),
        "reason": ("varchar?", "Why it was not read."),
        "attempts": ("integer", "Paid answers that were of no use, over all runs."),
        "request_id": ("varchar?", "Request that answered, or the batch request that will."),
        "cost": ("double?", "The text's share of what was paid; null where the model has no price."),
        "stands_in_for": ("varchar?", "Tagger that was wanted, where the ceiling put this one in its place."),
        "sent_hash": ("varchar?", "Hash of what left the machine of a submitted text: its quotes are proven by it."),
    },
    "known_on",
    {"status": ("read", "spared", "failed", "queued", "submitted")},
)
USAGE = Table(
    "text", "usage", "What a language model was paid for: one row per answer, useful or not.", ("request_id",),
    {
        "request_id": ("varchar", "Request, with a number for a second answer to it."),
        "tagger_version": ("varchar", "Model and prompt."),
        "model": ("varchar", "Model that was asked."),
        "transport": ("varchar", "live or batch."),
        "outcome": ("varchar", "answered, or why the answer was of no use."),
        "texts": ("integer", "Texts in the request."),
        "tokens_in": ("bigint?", "Tokens sent; null where the endpoint does not say."),
        "tokens_out": ("bigint?", "Tokens answered."),
        "cost": ("double?", "In `currency`; null where the model has no price."),
        "currency": ("varchar?", "ISO 4217."),
        "used_at": ("timestamp", "When the answer was stored, UTC."),
        "used_on": ("date", "Its day, UTC."),
    },
    None,
    {"transport": ("live", "batch")},
)
SPENDING = Table(
    "text", "spending", "What was decided about spending before a run sent texts: one row per run and step.",
    ("decided_at", "step"),
    {
        "decided_at": ("timestamp", "When, UTC."),
        "first_day": ("date", "First day of the run."),
        "last_day": ("date", "Last day of the run."),
        "step": ("varchar", "normal, bigger_batch, cheaper_model, embedded or queue."),
        "texts": ("integer", "Texts that go this way."),
        "tagger_version": ("varchar?", "Tagger that reads them."),
        "wanted_version": ("varchar", "Tagger that was wanted."),
        "estimate": ("double?", "What that will cost, rather too much; null where the model has no price."),
        "spent": ("double", "Spent in the month before."),
        "ceiling": ("double?", "Ceiling of the month."),
        "currency": ("varchar?", "ISO 4217."),
    },
    None,
    {"step": ("normal", "bigger_batch", "cheaper_model", "embedded", "queue")},
)
BATCH_JOBS = Table(
    "text", "batch_jobs", "Jobs of the Batch API; their texts stand in text.readings as submitted.", ("job_key",),
    {
        "job_key": ("varchar", "Own key, written before the job is made and sent along with it."),
        "batch_id": ("varchar?", "The endpoint's id; null while it is being made."),
        "tagger_version": ("varchar", "Model and prompt."),
        "model": ("varchar", "Model that was asked."),
        "status": ("varchar", "preparing, submitted, collected or failed."),
        "requests": ("integer", "Requests in it."),
        "texts": ("integer", "Texts in it."),
        "estimate": ("double?", "What it will cost, rather too much: set aside until it is collected."),
        "changed_at": ("timestamp", "When it came to stand as it does, UTC."),
        "problem": ("varchar?", "What the endpoint says of a failed job, in one word."),
    },
    None,
    {"status": ("preparing", "submitted", "collected", "failed")},
)
TRIGGERS = ("USAGE_MILESTONE", "ROLE_CHANGE", "CROSS_TEAM", "ADVANCED_TICKETS", "ADJACENT_USE")
FIRING_EVENTS = Table(
    "triggers", "firing_events", "What happened to firings: opened, suppressed, closed, returned, superseded.",
    ("event_id",),
    {
        "event_id": ("varchar", "Stable id of the event."),
        "firing_id": ("varchar", "Stable id of the firing."),
        "account_id": ("varchar", "Account."),
        "trigger": ("varchar", "One of the five."),
        "sub_trigger": ("varchar", "Rule that fired."),
        "subject_key": ("varchar", "What it is about: seats, a meter, a person, a group, a problem."),
        "event_type": ("varchar", "opened, suppressed, closed, returned or superseded."),
        "reason": ("varchar?", "Why, where a bare type does not tell."),
        "as_of_date": ("date", "Day on which it was detected."),
        "happened_at": ("timestamp", "When it was true in the world, UTC."),
        "known_at": ("timestamp", "When it could be known, UTC."),
        "strength": ("double?", "0.5 at the threshold to 1 at the limit."),
        "is_initial_state": ("boolean", "True when it held on the first watchable day."),
        "is_fleet_event": ("boolean", "True when the fleet check set it aside."),
        "is_shadow": ("boolean", "Recorded, shown to nobody."),
        "catalogue_version": ("varchar", "Version of the signal library."),
        "is_restated": ("boolean", "Recomputed with later knowledge."),
    },
    "as_of_date",
    {"trigger": TRIGGERS, "event_type": ("opened", "suppressed", "closed", "returned", "superseded")},
)
DETECTIONS = Table(
    "triggers", "detections", "What each detector found, before fleet check and lifecycle.", ("event_id",),
    {
        **FIRING_EVENTS.columns,
        "opened_on": ("date", "Day that names the firing."),
        "is_scheduled": ("boolean", "The calendar brought the crossing: end of grace or of a billing period."),
    },
    "as_of_date",
    FIRING_EVENTS.allowed,
)
EVIDENCE = Table(
    "triggers", "evidence", "One to three lines for each firing.", ("firing_id", "line_no"),
    {
        "firing_id": ("varchar", "Firing."),
        "trigger": ("varchar", "One of the five."),
        "as_of_date": ("date", "Day on which the firing was detected."),
        "line_no": ("integer", "1 to 3."),
        "source_table": ("varchar", "Table of the fact."),
        "row_key": ("varchar", "Row of the fact."),
        "happened_at": ("timestamp?", "When the fact was true, UTC."),
        "measure": ("varchar", "What was measured."),
        "value": ("double?", "Measured value."),
        "threshold": ("double?", "Value it is held against."),
        "window_days": ("integer?", "Window of the measure."),
        "tag_id": ("varchar?", "Tag, for text-borne evidence."),
        "quote": ("varchar?", "Verbatim quote."),
    },
    "as_of_date",
)
SUPPORTING = Table(
    "triggers", "supporting_signals", "Supporting signals at or over their threshold, by account and day.",
    ("account_id", "as_of_date", "signal"),
    {
        "account_id": ("varchar", "Account."),
        "as_of_date": ("date", "Day."),
        "signal": ("varchar", "Signal of the catalogue."),
        "value": ("double", "Measured value."),
        "threshold": ("double", "Threshold."),
        "strength": ("double", "0.5 at the threshold to 1 at the limit."),
        "is_shadow": ("boolean", "Recorded, shown to nobody."),
    },
    "as_of_date",
)
SCORES = Table(
    "readiness", "scores", "Readiness of an account on a day.", ("account_id", "as_of_date"),
    {
        "account_id": ("varchar", "Account."),
        "as_of_date": ("date", "Day."),
        "points": ("double", "Sum of weight x strength."),
        "categories": ("integer", "Distinct categories behind the points."),
        "convergence": ("double", "1, 1.25 or 1.5."),
        "score": ("double", "0 to 10."),
        "coverage_pct": ("double", "Share of weight that is watchable, 0 to 100."),
        "is_hot": ("boolean", "Points x convergence >= 8, two categories, a trigger open."),
    },
    "as_of_date",
)
SCORE_PARTS = Table(
    "readiness", "score_parts", "What a score is made of.", ("account_id", "as_of_date", "signal"),
    {
        "account_id": ("varchar", "Account."),
        "as_of_date": ("date", "Day."),
        "signal": ("varchar", "Trigger or supporting signal."),
        "category": ("varchar", "Category of the catalogue."),
        "weight": ("double", "1 to 5."),
        "strength": ("double", "0 to 1, faded."),
        "points": ("double", "weight x strength."),
    },
    "as_of_date",
)
GATE_RESULTS = Table(
    "readiness", "gate_results", "What each gate says of a card on a day.", ("card_id", "as_of_date", "rule"),
    {
        "card_id": ("varchar", "Card."),
        "as_of_date": ("date", "Day."),
        "rule": ("varchar", "Gate."),
        "result": ("varchar", "pass, hold, stop or unknown."),
        "evidence": ("varchar?", "What the gate saw."),
        "release_condition": ("varchar?", "What ends a hold."),
        "retest_on": ("date?", "When to look again."),
    },
    "as_of_date",
    {"result": ("pass", "hold", "stop", "unknown")},
)
CARDS = Table(
    "readiness", "cards", "The trigger-to-play record, as it stood on each day.", ("card_id", "as_of_date"),
    {
        "card_id": ("varchar", "Card."),
        "card_group_id": ("varchar", "Conversation: the open cards of one account."),
        "account_id": ("varchar", "Account."),
        "firing_id": ("varchar", "Firing that opened the card."),
        "firing_ids": ("varchar", "All firings of the card, separated by |."),
        "trigger": ("varchar", "One of the five."),
        "sub_trigger": ("varchar", "Rule that fired."),
        "subject_key": ("varchar", "What it is about."),
        "play": ("varchar", "Play of catalogue/plays.yml."),
        "playbook": ("varchar?", "Playbook A to D, when one matches."),
        "owner_id": ("varchar?", "CSM in charge."),
        "detected_on": ("date", "Day of detection."),
        "sla_business_days": ("integer", "Working days allowed."),
        "clock_started_on": ("date", "Day on which the play's clock started: detection, or the last return."),
        "happened_at": ("timestamp?", "When the firing was true in the world, UTC."),
        "known_at": ("timestamp?", "When it could be known, UTC."),
        "due_on": ("date?", "Last day of the play; null while a hold stops the clock."),
        "status": ("varchar", "open, held, snoozed, done, rejected or closed."),
        "snoozed_until": ("date?", "Revisit date of a card that was too early."),
        "closed_on": ("date?", "Day the card ended."),
        "stage": ("varchar?", "Furthest stage of the funnel."),
        "held_days": ("integer?", "Days in a row on hold."),
        "decided_on": ("date?", "Day of the owner's decision."),
        "conversation_held_on": ("date?", "Day of the conversation, logged or inferred."),
        "outcome_due_on": ("date?", "Last day to log its outcome."),
        "gate_outcome": ("varchar", "clear, hold or stop."),
        "gate_summary": ("varchar?", "What holds it, in words."),
        "verify": ("varchar?", "What to verify first, because nothing is known."),
        "release_condition": ("varchar?", "What ends the hold."),
        "is_risk": ("boolean", "A risk event: sponsor recovery."),
        "is_hot": ("boolean", "See scores."),
        "score": ("double?", "0 to 10."),
        "coverage_pct": ("double?", "Share of weight that is watchable."),
        "value_low": ("double?", "Expected annual value, low."),
        "value_high": ("double?", "Expected annual value, high."),
        "currency": ("varchar?", "ISO 4217."),
        "value_arithmetic": ("varchar?", "How the value was reckoned."),
        "value_missing_reason": ("varchar?", "Why there is no value."),
        "opened_reason": ("varchar?", "Reason of the opening event."),
        "as_of_date": ("date", "Day of the snapshot."),
    },
    "as_of_date",
    {"gate_outcome": ("clear", "hold", "stop"), "status": ("open", "held", "snoozed", "done", "rejected", "closed"),
     "trigger": TRIGGERS},
)
CARD_REVIEWS = Table(
    "readiness", "card_reviews", "Play-log events matched to cards.", ("event_id", "card_id"),
    {
        "event_id": ("varchar", "Event of the play log, or meeting behind an inferred conversation."),
        "card_id": ("varchar", "Card."),
        "account_id": ("varchar", "Account."),
        "event_type": ("varchar", "Type of the play log."),
        "at": ("timestamp", "When, UTC."),
        "known_at": ("timestamp", "When known, UTC."),
        "known_on": ("date", "Day known."),
        "actor": ("varchar?", "Who."),
        "reason": ("varchar?", "Reason of a decision."),
        "until": ("date?", "Revisit date."),
        "amount": ("double?", "Amount."),
        "currency": ("varchar?", "ISO 4217."),
        "is_inferred": ("boolean", "True when a meeting stands in for a missing log entry."),
    },
    "known_on",
)
COVERAGE = Table(
    "readiness", "coverage", "Which triggers can be watched for which account, and why not.",
    ("account_id", "trigger", "as_of_date"),
    {
        "account_id": ("varchar", "Account."),
        "trigger": ("varchar", "One of the five."),
        "as_of_date": ("date", "Day."),
        "is_watchable": ("boolean", "All sources present, fresh and matched."),
        "missing_sources": ("varchar?", "Sources that are not, separated by |."),
        "reason": ("varchar?", "Why it is blind, in words."),
    },
    "as_of_date",
    {"trigger": TRIGGERS},
)
SOURCE_HISTORY = Table(
    "readiness", "source_history", "What had arrived of each raw table by the end of each day.",
    ("as_of_date", "source_table"),
    {
        "as_of_date": ("date", "Day."),
        "source_table": ("varchar", "Raw table."),
        "rows_total": ("bigint", "Versions of rows known by then."),
        "rows_assumed": ("bigint", "Of these, versions whose load time is assumed."),
        "first_loaded_on": ("date?", "Day of the first version with a real load time."),
        "first_assumed_on": ("date?", "Day of the first version whose load time is assumed."),
        "newest_known_on": ("date?", "Day of the newest version."),
        "filled_columns": ("varchar?", "Columns that a trigger needs and that hold a value somewhere, separated by |."),
    },
    "as_of_date",
)
_FIX_KINDS = (
    "deliver", "fill_table", "mend", "refresh", "map", "map_column", "fill_column", "limit", "match", "records",
    "acquire",
    "several",
)
DIAGNOSTIC = Table(
    "readiness", "diagnostic", "What each trigger sees through each source, and the smallest fix.",
    ("as_of_date", "trigger", "source"),
    {
        "as_of_date": ("date", "Day."),
        "trigger": ("varchar", "One of the five."),
        "source": ("varchar", "Source of the contracts; `all` is the trigger as a whole."),
        "state": ("varchar", "watchable; one_clean_up: one thing to mend would cover more accounts; or blind."),
        "accounts_watchable": ("bigint", "Accounts that it watches; of a source: whose part it has."),
        "accounts_total": ("bigint", "Accounts."),
        "arr_covered": ("double", "ARR of the watched accounts."),
        "arr_total": ("double", "ARR of all accounts whose ARR is known: the CRM's, else their open contract lines."),
        "accounts_arr_unknown": ("bigint", "Accounts without ARR or exchange rate: in no sum."),
        "currency": ("varchar?", "Currency of all amounts: the only one there is, else EUR at the day's known rates."),
        "newest_record_on": ("date?", "Day of the newest record of the source's tables."),
        "freshness_days": ("integer?", "Age in days from which the contract calls them stale; null when never."),
        "rows_match_rate": ("double?", "Share of recent rows that reach an account, 0 to 1 (features.match_rate_day)."),
        "arr_match_rate": ("double?", "Share of ARR whose accounts recent rows reach, 0 to 1."),
        "history_months": ("double?", "Months that can be replayed from real load times."),
        "history_months_assumed": ("double?", "Months whose load times are assumed."),
        "is_history_assumed": ("boolean?", "No load time is real: a replay rests on the declared lag."),
        "is_alternative": ("boolean?", "Another source could take its place."),
        "fix": ("varchar?", "The smallest fix."),
        "fix_kind": ("varchar?", "Kind of the fix; several when it takes more than one."),
        "fix_steps": ("integer", "Things to mend."),
        "is_fix_enough": ("boolean", "Nothing else stands between the gained accounts and the trigger."),
        "is_at_most": ("boolean", "The gain is an upper bound: the data have to be there to know."),
        "accounts_gained": ("bigint", "Accounts the fix would newly cover."),
        "arr_gained": ("double", "Their ARR."),
    },
    "as_of_date",
    {"trigger": TRIGGERS, "state": ("watchable", "one_clean_up", "blind"), "fix_kind": _FIX_KINDS},
)
FIXES = Table(
    "readiness", "fixes", "Fixes by the ARR they would newly cover: single steps first, then those of two.",
    ("as_of_date", "fix_rank"),
    {
        "as_of_date": ("date", "Day."),
        "fix_rank": ("integer", "1 for the first."),
        "fix": ("varchar", "What to do."),
        "fix_kind": ("varchar", "Kind of the fix; several when it takes more than one."),
        "steps": ("integer", "Things to mend."),
        "is_clean_up": ("boolean", "The data are there; else new data are needed."),
        "source_tables": ("varchar", "Raw tables it is about, separated by |."),
        "triggers": ("varchar", "Triggers it would open for more accounts, separated by |."),
        "accounts_gained": ("bigint", "Accounts for which a trigger would open."),
        "arr_gained": ("double", "Their ARR."),
        "accounts_arr_unknown": ("bigint", "Of these accounts, those without ARR or exchange rate."),
        "currency": ("varchar?", "Currency of the ARR."),
        "is_at_most": ("boolean", "The gain is an upper bound: the data have to be there to know."),
    },
    "as_of_date",
    {"fix_kind": _FIX_KINDS},
)
CHURN_RISK = Table(
    "readiness", "churn_risk", "Accounts at risk on a day; shown first and apart.", ("account_id", "as_of_date"),
    {
        "account_id": ("varchar", "Account."),
        "as_of_date": ("date", "Day."),
        "reasons": ("varchar", "Reasons separated by ;."),
    },
    "as_of_date",
)
DELIVERY_LEDGER = Table(
    "publish", "delivery_ledger", "What was put before whom, through which channel.", ("idempotency_key",),
    {
        "card_group_id": ("varchar", "Conversation."),
        "channel": ("varchar", "site, slack or email; the published site is a channel."),
        "as_of_date": ("date", "Day of the page."),
        "attempted_at": ("timestamp", "When it was tried, UTC."),
        "delivered_at": ("timestamp?", "When it arrived, UTC."),
        "idempotency_key": ("varchar", "channel | conversation | day."),
        "error": ("varchar?", "Why it did not arrive."),
    },
    "as_of_date",
)
EXPECTATION_RESULTS = Table(
    "quality", "expectation_results", "What each expectation of a suite found in the days of a run; written by checks.",
    ("as_of_date", "checked_table", "expectation", "column_names"),
    {
        "as_of_date": ("date", "Last day of the run."),
        "window_start": ("date", "First day of the run."),
        "checked_table": ("varchar", "schema.name of the table."),
        "expectation": ("varchar", "Type of the expectation."),
        "column_names": ("varchar", "Columns it is about, separated by comma."),
        "rows_checked": ("bigint", "Rows looked at."),
        "unexpected_count": ("bigint?", "Rows that break it; null when it could not be evaluated."),
        "is_success": ("boolean", "It holds."),
        "problem": ("varchar?", "Why it could not be evaluated."),
        "failed_from": ("date?", "First day on which failing rows stand."),
        "failed_to": ("date?", "Last day on which failing rows stand."),
        "examples_json": ("varchar?", "The first failing rows: key and values, personal ones masked."),
    },
    "as_of_date",
)

PYTHON_TABLES: tuple[Table, ...] = (
    RUN_WINDOW, DAYS, CALENDAR, PLAN_LINES, ADDRESSES, DOMAINS, NAMES, TITLES, IDENTITY_METHOD, READINGS, TAGS,
    USAGE, SPENDING, BATCH_JOBS, DETECTIONS,
    FIRING_EVENTS, EVIDENCE, SUPPORTING, SCORES, SCORE_PARTS, GATE_RESULTS, CARDS, CARD_REVIEWS,
    COVERAGE, SOURCE_HISTORY, DIAGNOSTIC, FIXES, CHURN_RISK, DELIVERY_LEDGER,
    EXPECTATION_RESULTS,
)
