"""From settings to a language-model tagger.

Belongs here: the one place that knows both. Does not belong here: what they do. Building one imports instructor and
openai and needs a key.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

from expansion_assets.settings import Settings
from expansion_assets.tagging.llm.client import Endpoint, LlmClient
from expansion_assets.tagging.llm.prices import price_of
from expansion_assets.tagging.llm.reader import BIGGER, LlmReader, Way
from expansion_assets.tagging.llm.sparing import nothing_in_it
from expansion_assets.tagging.llm.tagger import LlmTagger
from expansion_assets.tagging.schema import Text
from expansion_assets.tagging.tagger import Tagger

if TYPE_CHECKING:
    from expansion_assets.tagging.embedded import EmbeddedTagger


def llm_client(settings: Settings) -> LlmClient:
    """The endpoint of the settings.

    Raises:
        LlmUnavailableError: There is no key.
    """
    endpoint = Endpoint(
        base_url=settings.llm_base_url, mode=settings.llm_mode, timeout_seconds=settings.llm_timeout_seconds,
        http_retries=settings.llm_http_retries, requests_per_second=settings.llm_requests_per_second,
        temperature=settings.llm_temperature, max_output_tokens=settings.llm_max_output_tokens,
    )
    return LlmClient(endpoint, settings.llm_api_key.get_secret_value() if settings.llm_api_key else None)


def llm_tagger(settings: Settings) -> LlmTagger:
    """The model of the settings."""
    return _tagger(settings, llm_client(settings), settings.llm_model, settings.llm_batch_texts)


def llm_reader(settings: Settings, embedded: Callable[[], Tagger]) -> LlmReader:
    """The model of the settings with its cheaper ways, what stands in for it, and what it is spared.

    Raises:
        LlmUnavailableError: There is no key, or a ceiling and no price.
    """
    client, steps = llm_client(settings), [step.strip() for step in settings.llm_over_ceiling.split(",")]
    bigger = settings.llm_batch_texts * BIGGER
    ways = [Way("normal", _tagger(settings, client, settings.llm_model, settings.llm_batch_texts))]
    if settings.llm_monthly_ceiling is not None:
        if "bigger_batch" in steps:
            ways.append(Way("bigger_batch", _tagger(settings, client, settings.llm_model, bigger)))
        if "cheaper_model" in steps and settings.llm_cheaper_model:
            ways.append(Way("cheaper_model", _tagger(settings, client, settings.llm_cheaper_model, bigger)))
    stand_in = cache(embedded)

    def is_empty(texts: Sequence[Text]) -> list[bool]:
        return nothing_in_it(cast("EmbeddedTagger", stand_in()), texts)

    return LlmReader(
        ways, stand_in if "embedded" in steps else None,
        is_empty if settings.llm_spare_empty else None, settings.llm_monthly_ceiling,
    )


def _tagger(settings: Settings, client: LlmClient, model: str, batch_texts: int) -> LlmTagger:
    return LlmTagger(
        client, model, price_of(model), batch_texts=batch_texts, in_flight=settings.llm_in_flight,
        is_batch=settings.llm_transport == "batch",
    )
