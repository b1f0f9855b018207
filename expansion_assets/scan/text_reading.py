"""The scan's words on reading texts: what a language model was asked and has cost, what failed, what nobody read.

Belongs here: a paragraph from the figures. Does not belong here: the figures (``store/reading_costs.py``,
``store/texts.py``).
"""

from collections.abc import Mapping
from math import floor, log10
from typing import Any

from expansion_assets.scan import words

_STEPS = {
    "normal": "as set",
    "bigger_batch": "in bigger batches, to stay under the ceiling",
    "cheaper_model": "by the cheaper model, to stay under the ceiling",
    "embedded": "by the embedded tagger, for the ceiling is reached",
    "queue": "not at all, for the ceiling is reached: they wait for next month",
}
_STATUSES = {"failed": "got no useful answer", "queued": "in the queue", "submitted": "in a batch job"}
_UNITS = {"texts": "text", "firings": "firing", "accepted_cards": "accepted card"}


def reading_line(data: Mapping[str, Any]) -> str:
    """One paragraph from :func:`~expansion_assets.store.reading_costs.reading_summary`."""
    decided = [f"{words.count(row['texts'], 'text')} {_STEPS[row['step']]}" for row in data["decisions"]]
    told = ["Last run: " + "; ".join(decided) + "."]
    left = [f"{data['texts'][status]} {what}" for status, what in _STATUSES.items() if data["texts"].get(status)]
    if left:
        told.append("Of this day's texts: " + ", ".join(left) + ".")
    currency = data["currency"]
    ceiling = "" if data["ceiling"] is None else f" of {money(data['ceiling'], currency)}"
    told.append(f"Paid in {data['month']:%B %Y}: {money(data['spent'], currency)}{ceiling}.")
    per = [
        f"{money(found['cost'], currency)} per {_UNITS[unit]}" for unit, found in data["per"].items() if found["count"]
    ]
    if per and data["spent"] is not None:
        told.append("All in all " + ", ".join(per) + ".")
    unproven = sum(row["unproven"] for row in data["unproven"].values())
    if unproven:
        told.append(f"{words.count(unproven, 'tag')} without a proven quote, shown to nobody.")
    return " ".join(told)


def unread_line(languages: Mapping[str, int]) -> str:
    """Texts of the last 90 days that nobody read, by ISO code of their language."""
    listed = ", ".join(f"{language} {texts}" for language, texts in languages.items())
    return f"{words.count(sum(languages.values()), 'text')} of the last 90 days not read, for not in English: {listed}."


def money(cost: float | None, currency: str | None) -> str:
    """An amount; a small one keeps two digits that count."""
    if cost is None:
        return "unpriced"
    decimals = 2 if cost >= 1 or cost <= 0 else max(2, 1 - floor(log10(cost)))
    return f"{cost:.{decimals}f} {currency}"
