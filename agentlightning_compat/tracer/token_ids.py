"""Token ids and log probabilities of LLM answers, as attributes of AgentOps' spans.

vLLM adds them to its answers when it is asked to; AgentOps does not know of them.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

_log = logging.getLogger(__name__)

_CHAT = "agentops.instrumentation.providers.openai.wrappers.chat"
# Both have a name for it of their own.
_HOMES = (_CHAT, "agentops.instrumentation.providers.openai.stream_wrapper")
_NAME = "handle_chat_attributes"

_lock = threading.Lock()
_users = 0
_original: Callable[..., Any] | None = None


def take() -> None:
    """Have AgentOps note them, until as many calls of `leave`."""
    global _users, _original  # noqa: PLW0603, it is one function of one module
    with _lock:
        _users += 1
        if _original is not None:
            return
        try:
            original = getattr(import_module(_CHAT), _NAME)
        except (ImportError, AttributeError):
            _log.warning("this release of AgentOps is not known: token ids are not taken")
            return
        _original = original

        @functools.wraps(original)
        def with_tokens(
            args: Any = None, kwargs: Any = None, return_value: Any = None, **more: Any
        ) -> Any:
            made = original(args=args, kwargs=kwargs, return_value=return_value, **more)
            try:
                made.update(tokens_of(return_value))
            except Exception:  # an answer in a strange form must not stop the agent
                _log.warning("the token ids of an answer could not be read", exc_info=True)
            return made

        _put(with_tokens)


def leave() -> None:
    """Undo one call of `take`."""
    global _users, _original  # noqa: PLW0603
    with _lock:
        _users -= 1
        if _users == 0 and _original is not None:
            _put(_original)
            _original = None


def _put(function: Callable[..., Any]) -> None:
    for home in _HOMES:
        setattr(import_module(home), _NAME, function)


def tokens_of(answer: Any) -> dict[str, Any]:
    """The attributes for what an answer has of them."""
    if callable(getattr(answer, "parse", None)):  # of a client's with_raw_response
        answer = answer.parse()
    found: dict[str, Any] = {}
    _set(found, "prompt_token_ids", getattr(answer, "prompt_token_ids", None))
    responses = getattr(answer, "response_token_ids", None)
    _set(found, "response_token_ids", responses[0] if responses else None)
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices:
        return found
    if "response_token_ids" not in found:
        ids = getattr(choices[0], "token_ids", None)
        if ids is None:
            ids = (getattr(choices[0], "provider_specific_fields", None) or {}).get("token_ids")
        _set(found, "response_token_ids", ids)
    logprobs = getattr(choices[0], "logprobs", None)
    for part in ("content", "refusal"):
        items = getattr(logprobs, part, None)
        if items is not None:
            found[f"logprobs.{part}"] = json.dumps([item.model_dump() for item in items])
    return found


def _set(found: dict[str, Any], key: str, ids: Any) -> None:
    if ids is not None:
        found[key] = list(ids)
