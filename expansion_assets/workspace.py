"""The workspace: which days exist, what today is, and where each raw table's rows come from.

Belongs here: the resolution of settings and mapping into days and files. Does not belong here: reading a landing file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from expansion_assets import clock
from expansion_assets.settings import DEMO_LAST_DAY, Environment, Settings, load_settings
from expansion_assets.sources.contracts import TableContract, load_contracts
from expansion_assets.sources.mapping import Mapping, own_mapping, read_mapping
from expansion_assets.sources.report import Window
from expansion_assets.world.period import first_day_of

__all__ = ["DEMO_LAST_DAY", "Workspace", "build_workspace", "load_workspace"]


@dataclass(frozen=True)
class Workspace:
    """One set of sources with its clock."""

    settings: Settings
    contracts: dict[str, TableContract]
    mapping: Mapping

    @property
    def first_day(self) -> date:
        """First day of history."""
        return self.mapping.first_day

    @property
    def today(self) -> date:
        """The world's last day where it has one (nothing is stale then), else the calendar's today."""
        return clock.today(self.mapping.last_day, self.settings.time_zone)

    def window(self, start: date, end: date) -> Window:
        """Days [start, end) with the UTC instants between which their knowledge arrived.

        The first window of a history reaches back to the beginning: what was known before day one is known on day one.
        """
        known_from = clock.as_of_end(start - timedelta(days=1), self.settings.time_zone)
        return Window(
            start=start,
            end=end,
            known_from=datetime(1900, 1, 1) if start <= self.first_day else known_from,
            known_before=clock.as_of_end(end - timedelta(days=1), self.settings.time_zone),
        )

    def absent_reason(self, contract: TableContract) -> str | None:
        """Why the data set has no such table, in the mapping's own words."""
        return self.mapping.absent.get(contract.name) or self.mapping.absent.get(contract.source)


def _demo_days(settings: Settings) -> tuple[date, date]:
    return first_day_of(settings.world_last_day, settings.world_months), settings.world_last_day


def build_workspace(settings: Settings) -> Workspace:
    """Resolve settings into a workspace.

    Raises:
        ContractError: the mapping file does not hold together, or production has no mapping.
    """
    contracts = load_contracts()
    if settings.mapping_file is not None:
        mapping = read_mapping(settings.mapping_file, contracts)
    elif settings.environment is Environment.PRODUCTION:
        mapping = own_mapping(contracts, settings.history_from, None)
    else:
        mapping = own_mapping(contracts, *_demo_days(settings))
    return Workspace(settings, contracts, mapping)


@lru_cache
def load_workspace() -> Workspace:
    """The workspace of the environment's settings, resolved once."""
    return build_workspace(load_settings())
