"""What may still be spent this month, and what is done when it is not enough.

Belongs here: the decision, a pure function of estimates and money. Does not belong here: what a text costs
(``prices``), carrying the decision out (``reader``).

The order, mildest first: as set; bigger batches (the instructions are paid once for more texts); the cheaper model; the
embedded tagger, which costs nothing; the queue, which costs a month. A milder step is taken whenever it pays for
everything that waits. Where not even the cheapest paid step does, it reads as many texts as the money allows, first
come, first served, and the rest goes on to what costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Step = Literal["normal", "bigger_batch", "cheaper_model", "embedded", "queue"]


@dataclass(frozen=True)
class Offer:
    """A paid way to read the texts that wait."""

    step: Step
    costs: Sequence[float]
    """Estimate for each text, in their order, its share of the instructions included."""


@dataclass(frozen=True)
class Share:
    """The next `texts` of those that wait take this step."""

    step: Step
    texts: int
    estimate: float


def decide(money: float | None, offers: Sequence[Offer], unpaid: Step) -> list[Share]:
    """Share out the texts that wait.

    Args:
        money: What is left of the month; None is no ceiling.
        offers: Paid ways, mildest first; at least one, all for the same texts.
        unpaid: What costs nothing: `embedded` or `queue`.

    Returns:
        One share, or the part that is paid for and the rest; none of them empty.
    """
    waiting = len(offers[0].costs)
    if not waiting:
        return []
    for offer in offers:
        if money is None or sum(offer.costs) <= money:
            return [Share(offer.step, waiting, sum(offer.costs))]
    cheapest = min(offers, key=lambda offer: sum(offer.costs))
    paid = sum(total <= money for total in accumulate(cheapest.costs)) if money is not None else waiting
    shares = [Share(cheapest.step, paid, sum(cheapest.costs[:paid])), Share(unpaid, waiting - paid, 0.0)]
    return [share for share in shares if share.texts]
