"""What tokens cost: `catalogue/prices.yml`.

Belongs here: reading the table, the price of an answer, the estimate before it is asked. Does not belong here: what may
be spent (``ceiling``).
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from math import ceil
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

PRICES_PATH = Path(__file__).parents[2] / "catalogue" / "prices.yml"
# English runs at 4 characters a token, other languages, names and code at fewer: estimated rather too high.
_CHARACTERS_PER_TOKEN = 3.0
_TOKENS_PER_TEXT = 25  # id, kind and speaker of each text
_ANSWER_TOKENS_PER_TEXT = 70  # an empty list is 15, one tag about 60


class PriceTableError(ValueError):
    """The price table breaks its format."""


class Price(BaseModel):
    """Price of a model: per 1 million tokens, in `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    tokens_in: float = Field(ge=0)
    tokens_out: float = Field(ge=0)
    currency: str = Field(pattern="^[A-Z]{3}$")
    batch_discount: float = Field(ge=0, le=1)
    checked_on: date

    def cost(self, tokens_in: int | None, tokens_out: int | None, *, is_batch: bool = False) -> float | None:
        """What an answer cost; None where the endpoint did not count its tokens."""
        if tokens_in is None or tokens_out is None:
            return None
        full = (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1_000_000
        return full * (1 - self.batch_discount) if is_batch else full

    def estimate(
        self, characters: Sequence[int], batch_texts: int, prompt_characters: int, *, is_batch: bool = False
    ) -> float:
        """What texts of these lengths will cost, `batch_texts` to a request; rather too much than too little."""
        requests = ceil(len(characters) / batch_texts)
        told = (sum(characters) + requests * prompt_characters) / _CHARACTERS_PER_TOKEN
        tokens_in = round(told) + _TOKENS_PER_TEXT * len(characters)
        return self.cost(tokens_in, _ANSWER_TOKENS_PER_TEXT * len(characters), is_batch=is_batch) or 0.0


@cache
def load_prices(path: Path = PRICES_PATH) -> dict[str, Price]:
    """Read the table: model -> price.

    Raises:
        PriceTableError: names file, row and rule.
    """
    prices: dict[str, Price] = {}
    for number, row in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))["prices"], start=1):
        try:
            price = Price.model_validate(row)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            raise PriceTableError(f"{path.name}, row {number}: {where} {fault['msg']}".strip()) from None
        if price.model in prices:
            raise PriceTableError(f"{path.name}, row {number}: model {price.model} is listed twice")
        prices[price.model] = price
    return prices


def price_of(model: str, prices: dict[str, Price] | None = None) -> Price | None:
    """The price of a model, or None where the table has none; a dated snapshot costs what its model does."""
    table = load_prices() if prices is None else prices
    found = [price for name, price in table.items() if model == name or _is_snapshot(model, name)]
    return found[0] if found else None


def _is_snapshot(model: str, name: str) -> bool:
    """Whether a model is `name` with a date behind it: gpt-4.1-mini-2025-04-14."""
    if not model.startswith(name + "-"):
        return False
    try:
        date.fromisoformat(model.removeprefix(name + "-"))
    except ValueError:
        return False
    return True
