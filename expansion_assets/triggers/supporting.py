"""Supporting signals: thresholds on columns of ``features.account_day``, all from the catalogue.

Belongs here: one generic reading of every signal. Does not belong here: code for a single signal, weights and
fading (``readiness``).
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from expansion_assets.catalogue.loader import Catalogue, SupportingSignal
from expansion_assets.catalogue.rules import rising
from expansion_assets.triggers.base import Window, per_segment


def supporting_signals(
    account_day: nw.LazyFrame[Any], window: Window, catalogue: Catalogue
) -> nw.LazyFrame[Any]:
    """Signals at or over the threshold of the account's segment on watchable days of the window; no retired ones.

    Returns:
        account_id, as_of_date, signal, value, threshold, strength (0.5 at the threshold to 1 at the limit), is_shadow.
    """
    inside = account_day.filter(window.holds())
    signals = catalogue.signals.watched_supporting
    return nw.concat([_readings(inside, name, signal) for name, signal in signals.items()], how="vertical")


def _readings(account_day: nw.LazyFrame[Any], name: str, signal: SupportingSignal) -> nw.LazyFrame[Any]:
    value = nw.col(signal.feature).cast(nw.Float64)
    threshold = per_segment(signal.rules, lambda rule: nw.lit(float(rule.threshold)))
    strength = per_segment(signal.rules, lambda rule: rising(value, rule.threshold, rule.limit))
    # A null in such a column leaves nobody out.
    kept = [~nw.col(column).is_in(values).fill_null(False) for column, values in signal.exclude.items()]
    watched = (nw.col(f"watchable_{source}") for source in signal.needs)
    return account_day.filter(*watched, *kept, value >= threshold).select(
        "account_id",
        "as_of_date",
        signal=nw.lit(name),
        value=value,
        threshold=threshold,
        strength=strength.clip(0.5, 1.0),
        is_shadow=nw.lit(signal.state == "shadow"),
    )
