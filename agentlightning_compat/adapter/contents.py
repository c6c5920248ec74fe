"""What the attributes of a span say about an LLM call."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentlightning_compat.span_attributes import filter_attributes, unflatten_attributes

_log = logging.getLogger(__name__)


def first_text(attributes: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first of the attributes that is text."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str):
            return value
        if key in attributes:
            _log.warning("attribute %s is no text: %r", key, value)
    return None


def first_token_ids(attributes: Mapping[str, Any], keys: Sequence[str]) -> list[int]:
    """The first of the attributes that is a list of ints; empty without one."""
    for key in keys:
        found = token_ids(attributes.get(key))
        if found is not None:
            return found
        if key in attributes:
            _log.warning("attribute %s is no list of ints: %r", key, attributes[key])
    return []


def token_ids(value: Any) -> list[int] | None:
    """A list of ints, if it is one."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, int) for item in value):
        return list(value)
    return None


def first_nested(attributes: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """What is below the first of the keys that anything is below, nested; None without one.

    Some instrumentations put all of it at the key itself, as JSON.
    """
    for key in keys:
        found = filter_attributes(attributes, key)
        whole = found.pop(key, None)
        if found:
            start = len(key) + 1
            return unflatten_attributes({k[start:]: value for k, value in found.items()})
        decoded = _from_json(whole)
        if decoded:
            return decoded
    return None


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def logprobs(attributes: Mapping[str, Any]) -> Any:
    """The log probabilities of the tokens of a response; None without any."""
    content = attributes.get("logprobs.content")
    if not isinstance(content, str):
        return None
    try:
        return json.loads(content)
    except ValueError:
        _log.warning("attribute logprobs.content is no JSON: %.200r", content)
        return None


def image_urls(prompt: Any) -> list[str]:
    """The addresses of the images in a prompt, in their order."""
    return [
        part["image_url"]["url"]
        for message in _messages(prompt)
        for part in _parts(message)
        if part.get("type") == "image_url"
        and isinstance(part.get("image_url"), dict)
        and "url" in part["image_url"]
    ]


def _messages(prompt: Any) -> list[Any]:
    if isinstance(prompt, list):
        return prompt
    if not isinstance(prompt, dict):
        return []
    # Something besides the messages leaves their numbers as keys.
    numbers = sorted((key for key in prompt if key.isdigit()), key=int)
    return [prompt[number] for number in numbers] if numbers else [prompt]


def _parts(message: Any) -> Iterator[dict[str, Any]]:
    content = message.get("content") if isinstance(message, dict) else None
    parts = _from_json(content)
    return (
        (part for part in parts if isinstance(part, dict)) if isinstance(parts, list) else iter(())
    )
