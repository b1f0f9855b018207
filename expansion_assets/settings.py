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
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent
# Public on purpose: the demo world holds no real person, and its figures must be the same everywhere.
DEMO_PSEUDONYM_KEY = "demo-world-without-real-people"
DEMO_LAST_DAY = date(2026, 6, 30)
_MIN_KEY_LENGTH = 16
SPENDING_STEPS = ("bigger_batch", "cheaper_model", "embedded")
"""What may be done to stay under the ceiling, mildest first."""


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
    tagger: Literal["embedded", "llm"] = "embedded"
    """Text tagger: ``embedded`` needs no key and nothing from outside; ``llm`` asks a language model, see below."""
    tagger_quick: bool = False
    """Leave out the neural network of the embedded tagger: several times as fast, but wrong more often."""
    llm_api_key: SecretStr | None = None
    llm_base_url: str = "https://api.openai.com/v1"
    """Any endpoint that speaks OpenAI's protocol."""
    llm_model: str = "gpt-4.1-mini"
    llm_cheaper_model: str | None = None
    """Model at the same endpoint that takes over when the ceiling is near."""
    llm_mode: Literal["tools", "json_schema", "json", "md_json"] = "md_json"
    """How the answer's shape is asked for; only ``md_json`` survives code fences and thinking aloud."""
    llm_transport: Literal["live", "batch"] = "live"
    """``batch``: OpenAI's Batch API, cheaper and up to a day later."""
    llm_batch_texts: int = Field(default=8, ge=1, le=100)
    """Texts in one request."""
    llm_in_flight: int = Field(default=8, ge=1, le=64)
    """Requests at a time."""
    llm_requests_per_second: float | None = Field(default=None, gt=0)
    """The endpoint's limit; None: as fast as ``llm_in_flight`` allows, pausing when told to."""
    llm_timeout_seconds: float = Field(default=60.0, gt=0)
    llm_http_retries: int = Field(default=4, ge=0, le=10)
    """Further tries after a time-out, a dropped connection, HTTP 429 or 5xx."""
    llm_temperature: float | None = 0.0
    """None (an empty variable) leaves it out: some models take none."""
    llm_max_output_tokens: int | None = Field(default=None, ge=1)
    llm_monthly_ceiling: float | None = Field(default=None, ge=0)
    """Most that a calendar month (UTC) may cost, in the currency of the model's price."""
    llm_over_ceiling: str = "bigger_batch,cheaper_model,embedded"
    """What to do when the ceiling is near, in this order; after the last step texts are queued for next month."""
    llm_spare_empty: bool = True
    """Texts with nothing in them are not sent (``tagging/llm/sparing.py``)."""
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

    @field_validator("llm_temperature", "llm_monthly_ceiling", "llm_requests_per_second", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("llm_over_ceiling")
    @classmethod
    def _known_steps(cls, value: str) -> str:
        steps = [step.strip() for step in value.split(",") if step.strip()]
        if steps != [step for step in SPENDING_STEPS if step in steps]:
            raise ValueError(f"{value!r}: any of {', '.join(SPENDING_STEPS)}, in this order")
        return value

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

    @model_validator(mode="after")
    def _model_has_a_key(self) -> Settings:
        if self.tagger == "llm" and not (self.llm_api_key and self.llm_api_key.get_secret_value()):
            raise ValueError(
                "EXPANSION_LLM_API_KEY is not set; tagger llm needs it (any text for an endpoint without keys), or "
                "choose EXPANSION_TAGGER=embedded"
            )
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
    def tagger_dir(self) -> Path:
        """What the embedded tagger has learned from the team's reviews."""
        return self.live_dir / "tagger"

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
