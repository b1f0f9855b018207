"""``identity.yml``: rules that take users out of usage, and the match rates below which a source is not to be trusted.

Belongs here: the shape of that file and the proof that a rule hits and spares what it says. Does not belong here:
reading addresses (``sources/identity.py``), counting matches (``dbt_project``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from expansion_assets.catalogue.reading import CATALOGUE_DIR, read_yaml, validated
from expansion_assets.catalogue.rules import Count, Frozen

UserKind = Literal["service", "internal", "contractor", "vendor"]
Rate = Annotated[float, Field(ge=0, le=1)]
_DOMAIN = re.compile(r"[a-z0-9-]+([.][a-z0-9-]+)+")


class KindRule(Frozen):
    """One rule: by the part before the @, by the sub-domain, or by a list of domains."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: UserKind
    local_part: str | None = None
    subdomain: str | None = None
    domains: tuple[str, ...] | None = None
    hits: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _proves_itself(self) -> KindRule:
        given = [value for value in (self.local_part, self.subdomain, self.domains) if value is not None]
        if len(given) != 1:
            raise ValueError("exactly one of local_part, subdomain and domains")
        for pattern in filter(None, (self.local_part, self.subdomain)):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        for domain in self.domains or ():
            if not _DOMAIN.fullmatch(domain):
                raise ValueError(f"{domain!r} is no lower-case registrable domain such as acme.com")
        if missed := [text for text in self.hits if not self._matches(text)]:
            raise ValueError(f"does not hit {', '.join(missed)}")
        if struck := [text for text in self.spares if self._matches(text)]:
            raise ValueError(f"does not spare {', '.join(struck)}")
        return self

    def hits_address(self, local_part: str, subdomain: str, domain: str | None) -> bool:
        """Whether the rule takes an address out of usage; all parts in lower case."""
        if self.local_part is not None:
            return self._matches(local_part)
        if self.subdomain is not None:
            return self._matches(subdomain)
        return domain in (self.domains or ())

    def _matches(self, text: str) -> bool:
        if self.domains is not None:
            return text in self.domains
        return re.fullmatch(self.local_part or self.subdomain or "", text) is not None


class MatchThreshold(Frozen):
    """Rates of one source below which it warns; None means the default."""

    warn_below_rows: Rate | None = None
    warn_below_arr: Rate | None = None


class MatchRateRule(Frozen):
    """When a match rate is too low."""

    min_rows: Count
    warn_below_rows: Rate
    warn_below_arr: Rate
    tables: dict[str, MatchThreshold] = Field(default_factory=dict)

    def thresholds(self, table: str) -> tuple[float, float]:
        """Lowest rate by rows and by ARR that a source may have."""
        own = self.tables.get(table, MatchThreshold())
        rows, arr = own.warn_below_rows, own.warn_below_arr
        return (self.warn_below_rows if rows is None else rows), (self.warn_below_arr if arr is None else arr)


class IdentityRules(Frozen):
    """``identity.yml``."""

    own_domains: tuple[str, ...] = ()
    vendor_domains: tuple[str, ...] = ()
    user_kind_rules: tuple[KindRule, ...]
    match_rate: MatchRateRule

    @model_validator(mode="before")
    @classmethod
    def _fill_in_domains(cls, values: Any) -> Any:
        """A rule names one of the two lists instead of repeating it."""
        if not isinstance(values, dict) or not isinstance(values.get("user_kind_rules"), list):
            return values
        lists = {name: values.get(name) or () for name in ("own_domains", "vendor_domains")}
        rules = [
            {**rule, "domains": lists[rule["domains"]]}
            if isinstance(rule, dict) and isinstance(rule.get("domains"), str) and rule["domains"] in lists else rule
            for rule in values["user_kind_rules"]
        ]
        return {**values, "user_kind_rules": rules}

    @model_validator(mode="after")
    def _names_are_unique(self) -> IdentityRules:
        names = [rule.name for rule in self.user_kind_rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"user_kind_rules: named twice: {', '.join(twice)}")
        return self


@lru_cache(maxsize=4)
def load_identity_rules(folder: Path = CATALOGUE_DIR) -> IdentityRules:
    """Load ``identity.yml`` of a catalogue folder once.

    Raises:
        CatalogueError: naming file, key and rule.
    """
    return validated(IdentityRules, read_yaml(folder / "identity.yml"), "identity.yml")
