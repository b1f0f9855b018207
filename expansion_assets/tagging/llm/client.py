"""The endpoint: one question, one answer or one typed reason why there is none.

Belongs here: building the client, one request with its re-ask, what each failure means. Does not belong here: which
texts go together, and what happens to them after a failure (``tagger``).

Each class of failure has one layer that tries again, and none multiplies another:

- time-outs, dropped connections, 429, 5xx: ``openai``'s client, `http_retries` times, after `Retry-After` where given;
- an answer that does not parse: ``instructor``, once, with the fault named to the model;
- everything else (refusal, truncation, a request that is turned down): nobody here.

Messages of exceptions are neither logged nor kept: they hold completions, and those hold what customers wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from expansion_assets.tagging.llm.answer import Answer, answer_model
from expansion_assets.tagging.llm.pace import Pacer
from expansion_assets.tagging.llm.prompt import Message

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

Mode = Literal["tools", "json_schema", "json", "md_json"]
Reason = Literal[
    "refused", "truncated", "invalid", "left_out", "turned_down", "timed_out", "no_connection", "rate_limited",
    "server_error", "forbidden",
]
# No fault of a text: it is asked again by every later run. The others count as its own.
PASSING: frozenset[str] = frozenset({"timed_out", "no_connection", "rate_limited", "server_error"})
_CONNECT_SECONDS = 5.0


class LlmUnavailableError(RuntimeError):
    """The endpoint would refuse every request alike: no key, a wrong one, no such model. One line, nothing retried."""


@dataclass(frozen=True)
class Endpoint:
    """Where to ask and how; the key is apart."""

    base_url: str
    mode: Mode = "md_json"
    timeout_seconds: float = 60.0
    http_retries: int = 4
    requests_per_second: float | None = None
    temperature: float | None = 0.0
    max_output_tokens: int | None = None


@dataclass(frozen=True)
class Tokens:
    """What one answer used; None where the endpoint does not say."""

    outcome: str
    tokens_in: int | None
    tokens_out: int | None
    answer_id: str


@dataclass(frozen=True)
class Reply:
    """An answer, or the reason why there is none; every answer that was paid for, useful or not."""

    answer: Answer | None
    reason: Reason | None
    paid: tuple[Tokens, ...]


class _RefusedError(Exception):
    """The model declined, or a filter cut it off."""


class _NoCompletionError(Exception):
    """Something answered, but not a chat endpoint."""


class LlmClient:
    """An endpoint that is ready to be asked, from any thread."""

    def __init__(self, endpoint: Endpoint, api_key: str | None) -> None:
        """Build the client.

        Raises:
            LlmUnavailableError: There is no key.
        """
        if not api_key:
            raise LlmUnavailableError(
                "tagger 'llm' needs a key: set EXPANSION_LLM_API_KEY (any text for an endpoint without keys), or "
                "choose EXPANSION_TAGGER=embedded"
            )
        import httpx2
        import openai

        # Both log completions at ERROR when an answer does not parse.
        logging.getLogger("instructor").setLevel(logging.CRITICAL)
        self._endpoint = endpoint
        pacer = Pacer(endpoint.requests_per_second)
        self.api: openai.OpenAI = openai.OpenAI(
            api_key=api_key,
            base_url=endpoint.base_url,
            timeout=httpx2.Timeout(endpoint.timeout_seconds, connect=min(_CONNECT_SECONDS, endpoint.timeout_seconds)),
            max_retries=endpoint.http_retries,
            # Every request that leaves, retried ones too, keeps the pace; every answer may ask for a pause.
            http_client=openai.DefaultHttpxClient(
                event_hooks={
                    "request": [lambda request: pacer.wait()],
                    "response": [lambda response: pacer.heed(response.status_code, response.headers)],
                }
            ),
        )

    def close(self) -> None:
        """Let go of the connections."""
        self.api.close()

    def ask(self, model: str, messages: list[Message]) -> Reply:
        """Send one request and, when the answer does not parse, ask once more.

        Raises:
            LlmUnavailableError: The endpoint refuses the key or knows no such model.
        """
        return self._exchange(lambda **request: self.api.chat.completions.create(**request), model, messages, re_asks=1)

    def request_body(self, model: str, messages: list[Message]) -> dict[str, Any]:
        """The body that `ask` would send first: what the Batch API takes."""
        bodies: list[dict[str, Any]] = []

        def take(**request: Any) -> ChatCompletion:
            bodies.append(request)
            raise _NoCompletionError

        self._exchange(take, model, messages, re_asks=0)
        return bodies[0]

    def read_completion(self, body: Any) -> Reply:
        """Read a completion that came another way, forgiving what a live one is forgiven: the Batch API's."""
        from openai.types.chat import ChatCompletion

        completion = ChatCompletion.construct(**body) if isinstance(body, dict) else body
        return self._exchange(lambda **_: completion, "", [{"role": "user", "content": ""}], re_asks=0)

    def _exchange(
        self, create: Callable[..., ChatCompletion], model: str, messages: list[Message], re_asks: int
    ) -> Reply:
        import instructor
        import openai
        from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException

        paid: list[Tokens] = []

        def create_and_count(**request: Any) -> ChatCompletion:
            completion = create(**request)
            paid.append(_tokens_of(completion))
            if paid[-1].outcome == "refused":
                raise _RefusedError
            return completion

        options: dict[str, Any] = {"temperature": self._endpoint.temperature}
        options["max_tokens"] = self._endpoint.max_output_tokens
        ask = instructor.patch(create=create_and_count, mode=instructor.Mode[self._endpoint.mode.upper()])
        try:
            answer = ask(
                response_model=answer_model(), max_retries=re_asks, messages=messages, model=model,
                **{name: value for name, value in options.items() if value is not None},
            )
        except IncompleteOutputException:
            return Reply(None, "truncated", _with_outcome(paid, "truncated"))
        except (InstructorRetryException, openai.OpenAIError) as error:
            cause = error.__cause__ if isinstance(error, InstructorRetryException) else error
            reason = _reason_of(cause, model)
            return Reply(None, reason, _with_outcome(paid, reason))
        return Reply(answer, None, _with_outcome(paid, "answered"))


def _tokens_of(completion: Any) -> Tokens:
    from openai.types.chat import ChatCompletion

    if not isinstance(completion, ChatCompletion):
        raise _NoCompletionError
    return Tokens(
        "refused" if _is_refused(completion) else "invalid", _count(completion.usage, "prompt_tokens"),
        _count(completion.usage, "completion_tokens"), str(completion.id or ""),
    )


def _is_refused(completion: ChatCompletion) -> bool:
    """Whether the model declined, or a filter cut it off; nothing of a completion is sure to be there."""
    choices: Any = completion.choices
    choice = choices[0] if isinstance(choices, list) and choices else None
    refusal = getattr(getattr(choice, "message", None), "refusal", None)
    return getattr(choice, "finish_reason", None) == "content_filter" or bool(refusal)


def _count(usage: Any, name: str) -> int | None:
    """Tokens as counted by the endpoint; an answer that is of no use otherwise is paid for all the same."""
    count = getattr(usage, name, None)
    return count if isinstance(count, int) else None


def _with_outcome(paid: list[Tokens], outcome: str) -> tuple[Tokens, ...]:
    """The last answer decided; those before it did not parse."""
    if not paid:
        return ()
    last = paid[-1]
    return (*paid[:-1], Tokens(outcome, last.tokens_in, last.tokens_out, last.answer_id))


def refused_key(status: int) -> LlmUnavailableError:
    """The error that says so."""
    return LlmUnavailableError(
        f"the endpoint refuses the key (HTTP {status}): check EXPANSION_LLM_API_KEY and its rights"
    )


def _reason_of(cause: BaseException | None, model: str) -> Reason:
    import openai

    if isinstance(cause, _RefusedError):
        return "refused"
    if isinstance(cause, openai.AuthenticationError):
        raise refused_key(cause.status_code)
    if isinstance(cause, openai.PermissionDeniedError):
        return "forbidden"  # the key has no right to the model, or a gateway's moderation bars the text
    if isinstance(cause, openai.NotFoundError):
        raise LlmUnavailableError(
            f"the endpoint knows no model {model!r} or no such path (HTTP 404): check EXPANSION_LLM_MODEL and "
            "EXPANSION_LLM_BASE_URL"
        ) from None
    if isinstance(cause, openai.APITimeoutError):
        return "timed_out"
    if isinstance(cause, openai.APIConnectionError):
        return "no_connection"
    if isinstance(cause, openai.RateLimitError):
        if cause.code == "insufficient_quota":
            raise LlmUnavailableError("the endpoint says that the account has no credit left (HTTP 429)") from None
        return "rate_limited"
    if isinstance(cause, openai.APIStatusError):
        return "server_error" if cause.status_code >= 500 else "turned_down"
    return "turned_down" if isinstance(cause, _NoCompletionError) else "invalid"
