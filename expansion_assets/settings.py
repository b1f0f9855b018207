"""Settings: where things stand and which world is read.

Belongs here: values an operator sets (environment variables ``EXPANSION_*``), and the paths that follow from them.
Does not belong here: business thresholds (``catalogue/``), anything that reads a data file, time (``clock.py``).
Nothing is read at import; call :func:`load_settings`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent
# Public on purpose: the demo world holds no real person, and its figures must be the same everywhere.
DEMO_PSEUDONYM_KEY = "demo-world-without-real-people"
DEMO_LAST_DAY = date(2026, 6, 30)
_MIN_KEY_LENGTH = 16


class SettingsError(ValueError):
    """A setting that is missing or means nothing; one line per fault."""


class Environment(StrEnum):
    """Every environment there is; an unknown one raises, there is no fallback."""

    DEMO = "demo"
    PRODUCTION = "production"
    TEST = "test"


class Settings(BaseSettings):
    """What an operator may set; each field is the environment variable ``EXPANSION_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="EXPANSION_", frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Environment = Environment.DEMO
    state_dir: Path = PROJECT_DIR / "data"
    """Folder of the warehouse, the published pages and the run history."""
    sources: Path | None = None
    """Folder or file of a mapping (``mapping.yml``); None reads the demo world's landing files."""
    landing: Path | None = None
    """Folder of the landing files; None means ``<state_dir>/landing``."""
    time_zone: str = "UTC"
    """Workspace time zone: where a day ends."""
    tagger: str = "embedded"
    """Text tagger: ``embedded`` needs no key and no network."""
    history_from: date = date(2026, 1, 1)
    """First day of history in production; the demo world and a mapping bring their own."""
    world_seed: int = 7
    world_accounts: int = 60
    world_months: int = 12
    world_last_day: date = DEMO_LAST_DAY
    world_is_hard: bool = False
    """Plant the hard cases, too (``make truth``)."""
    restated: bool = False
    """Work in a warehouse apart, filled by ``restate`` with what is known today; its firings are marked."""
    pseudonym_key: SecretStr | None = None
    """Key of the pseudonyms of people; production needs its own. Changing it parts every person from their past."""
    webhook_secret: SecretStr | None = None
    """Signing key of the webhook intake."""
    webhook_secrets: SecretStr | None = None
    """Several of them, separated by commas, while a key is being replaced."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value

    @model_validator(mode="after")
    def _has_a_key(self) -> Settings:
        key = self.pseudonym_key.get_secret_value() if self.pseudonym_key else None
        if key is None and self.environment is Environment.PRODUCTION:
            raise ValueError("EXPANSION_PSEUDONYM_KEY is not set; production needs a secret key of its own for people")
        if key is not None and len(key) < _MIN_KEY_LENGTH:
            raise ValueError(f"EXPANSION_PSEUDONYM_KEY is shorter than {_MIN_KEY_LENGTH} characters")
        if key == DEMO_PSEUDONYM_KEY and self.environment is Environment.PRODUCTION:
            raise ValueError("EXPANSION_PSEUDONYM_KEY is the demo world's public key; production needs one of its own")
        return self

    @property
    def person_key(self) -> str:
        """Key of the pseudonyms: the operator's, else the demo world's."""
        return self.pseudonym_key.get_secret_value() if self.pseudonym_key else DEMO_PSEUDONYM_KEY

    @property
    def live_dir(self) -> Path:
        """One folder per mapped data set, and one for the hard world: two sets of sources never share a warehouse."""
        if self.mapping_file:
            return self.state_dir / "workspaces" / self.mapping_file.parent.name
        return self.state_dir / "workspaces" / "hard_world" if self.world_is_hard else self.state_dir

    @property
    def restated_dir(self) -> Path:
        """Folder of the restatement, made anew by each."""
        return self.live_dir / "restated"

    @property
    def workspace_dir(self) -> Path:
        """Folder of everything that a run writes."""
        return self.restated_dir if self.restated else self.live_dir

    @property
    def mapping_file(self) -> Path | None:
        """The mapping file, or None for the demo world."""
        if self.sources is None:
            return None
        path = self.sources.expanduser()
        path = path if path.is_absolute() else PROJECT_DIR / path
        return path / "mapping.yml" if path.is_dir() else path

    @property
    def landing_dir(self) -> Path:
        """Where the raw layer looks for files."""
        return self.landing or self.live_dir / "landing"

    @property
    def webhook_keys(self) -> tuple[str, ...]:
        """Every signing key that is set, blanks left out."""
        several = self.webhook_secrets.get_secret_value().split(",") if self.webhook_secrets else []
        one = [self.webhook_secret.get_secret_value()] if self.webhook_secret else []
        return tuple(key.strip() for key in one + several if key.strip())

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file of the embedded default."""
        return self.workspace_dir / "warehouse" / "expansion.duckdb"

    @property
    def published_dir(self) -> Path:
        """Pages and Parquet that readers outside a run use."""
        return self.workspace_dir / "published"

    @property
    def dagster_home(self) -> Path:
        """Run history; set for the user, because without it Dagster throws the history away."""
        return self.workspace_dir / "dagster_home"


@lru_cache
def load_settings() -> Settings:
    """Read the environment once.

    Raises:
        SettingsError: an unknown environment, time zone, malformed path, or production without a key.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")]) for fault in error.errors()
        ]
        raise SettingsError("; ".join(faults)) from None
