"""Attributes of spans: nested values made flat and back, checked, tagged and linked.

The functions are those of `agentlightning.utils.otel` in 0.3, with the same results.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter

from agentlightning_compat.model import Attributes, AttributeValue
from agentlightning_compat.semconv import (
    LightningSpanAttributes,
    LinkAttributes,
    LinkPydanticModel,
)

S = TypeVar("S")

_log = logging.getLogger(__name__)

_PLAIN = (str, int, float, bool)
_TAGS = TypeAdapter(list[str])
_LINKS = TypeAdapter(list[LinkPydanticModel])


def flatten_attributes(
    nested_data: dict[str, Any] | list[Any], *, expand_leaf_lists: bool = False
) -> dict[str, Any]:
    """Nested dicts and lists as one dict whose keys are paths with dots.

    A list of plain values of one type stays a value, unless `expand_leaf_lists`.

    Raises:
        ValueError: a key is no text.
    """
    made: dict[str, Any] = {}
    _flatten(made, nested_data, "", expand_leaf_lists)
    return made


def _flatten(made: dict[str, Any], value: Any, path: str, expand: bool) -> None:
    children: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list) and not (path and not expand and _is_leaf(value, path)):
        children = ((str(index), item) for index, item in enumerate(value))
    else:
        made[path] = value
        return
    for key, child in children:
        if not isinstance(key, str):
            raise ValueError(f"a key of attributes is text, not {key!r}, at {path or 'the top'}")
        _flatten(made, child, f"{path}.{key}" if path else key, expand)


def _is_leaf(items: list[Any], path: str) -> bool:
    if not items or not all(isinstance(item, _PLAIN) for item in items):
        return False
    kinds = {_plain_kind(item) for item in items}
    if len(kinds) > 1:
        _log.warning("%s is a list of different types; each item becomes an attribute", path)
    return len(kinds) == 1


def _plain_kind(value: Any) -> type:
    # A bool is an int, too.
    return next(kind for kind in (bool, int, float, str) if isinstance(value, kind))


def unflatten_attributes(flat_data: Mapping[str, Any]) -> Any:
    """Undo `flatten_attributes`: a dict whose keys are 0, 1, 2 and so on becomes a list."""
    root: dict[str, Any] = {}
    for path, value in flat_data.items():
        *parents, last = path.split(".")
        node = root
        for part in parents:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {}
            node = child
        node[last] = value
    return _with_lists(root)


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = {key: _with_lists(child) for key, child in node.items()}
    if made and all(key.isdigit() for key in made):
        numbered = {int(key): child for key, child in made.items()}
        if sorted(numbered) == list(range(len(made))):
            return [numbered[index] for index in range(len(made))]
    return made


def filter_attributes(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Those at `prefix` itself or below it."""
    below = f"{prefix}."
    return {k: v for k, v in attributes.items() if k == prefix or k.startswith(below)}


def filter_and_unflatten_attributes(attributes: Mapping[str, Any], prefix: str) -> Any:
    """What is below `prefix`, nested.

    Raises:
        ValueError: there is a value at `prefix` itself.
    """
    found = filter_attributes(attributes, prefix)
    if prefix in found:
        raise ValueError(f"{prefix!r} has a value itself, so nothing can be below it")
    start = len(prefix) + 1
    return unflatten_attributes({key[start:]: value for key, value in found.items()})


def sanitize_attribute_value(object: Any, force: bool = True) -> AttributeValue:
    """A value that OpenTelemetry takes: what is not plain, or a list of such, becomes JSON.

    With `force`, what JSON does not know becomes text.

    Raises:
        ValueError: it cannot be made JSON.
    """
    if isinstance(object, _PLAIN):
        return object
    if isinstance(object, list):
        try:
            return sanitize_list_attribute_sanity(object)
        except ValueError as error:
            _log.warning("a list becomes JSON text: %s", error)
    try:
        return json.dumps(object, default=str if force else None)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{type(object)} cannot be written as JSON") from error


def sanitize_attributes(attributes: Mapping[str, Any], force: bool = True) -> Attributes:
    """`sanitize_attribute_value` of each.

    Raises:
        ValueError: one cannot be made JSON; the text names it.
    """
    return {key: _sanitized(key, value, force) for key, value in attributes.items()}


def _sanitized(key: str, value: Any, force: bool) -> AttributeValue:
    try:
        return sanitize_attribute_value(value, force=force)
    except ValueError as error:
        raise ValueError(f"attribute {key!r}: {error}") from error


def sanitize_list_attribute_sanity(maybe_list: list[Any]) -> AttributeValue:
    """A list of plain values of one type; numbers of several types become the widest of them.

    Raises:
        ValueError: text and numbers are mixed, or something is not plain.
    """
    for kinds, made in (((str,), str), ((bool,), bool), ((int,), int), ((int, float), float)):
        if all(isinstance(item, kinds) for item in maybe_list):
            return [made(item) for item in maybe_list]  # type: ignore[return-value]
    names = sorted({type(item).__name__ for item in maybe_list})
    raise ValueError(f"a list has plain values of one type, not {', '.join(names)}")


def check_attributes_sanity(attributes: Mapping[Any, Any]) -> None:
    """Check that OpenTelemetry takes them as they are.

    Raises:
        ValueError: it does not; the text names the attribute.
    """
    for key, value in attributes.items():
        if not isinstance(key, str):
            raise ValueError(f"the name of an attribute is text, not {key!r}")
        if isinstance(value, list):
            try:
                sanitize_list_attribute_sanity(value)
            except ValueError as error:
                raise ValueError(f"attribute {key!r}: {error}") from error
        elif not isinstance(value, _PLAIN):
            raise ValueError(
                f"attribute {key!r} is {value!r}; text, numbers, bools and lists of one of them"
                " can be kept"
            )


def make_tag_attributes(tags: list[str]) -> dict[str, Any]:
    """Attributes that tag a span."""
    return flatten_attributes({LightningSpanAttributes.TAG.value: tags}, expand_leaf_lists=True)


def extract_tags_from_attributes(attributes: Mapping[str, Any]) -> list[str]:
    """The tags of a span.

    Raises:
        pydantic.ValidationError: there are none, or they are not numbered.
    """
    found = filter_and_unflatten_attributes(attributes, LightningSpanAttributes.TAG.value)
    return _TAGS.validate_python(found)


def make_link_attributes(links: Mapping[str, str]) -> dict[str, Any]:
    """Attributes that link a span to all that have these attributes.

    Raises:
        ValueError: a value is no text.
    """
    for key, value in links.items():
        if not isinstance(value, str):
            raise ValueError(f"a link is by text, not by {value!r}, for {key!r}")
    parts = [
        {LinkAttributes.KEY_MATCH.value: key, LinkAttributes.VALUE_MATCH.value: value}
        for key, value in links.items()
    ]
    return flatten_attributes({LightningSpanAttributes.LINK.value: parts}, expand_leaf_lists=True)


def extract_links_from_attributes(attributes: Mapping[str, Any]) -> list[LinkPydanticModel]:
    """The links of a span.

    Raises:
        pydantic.ValidationError: there are none, or they are not numbered.
    """
    found = filter_and_unflatten_attributes(attributes, LightningSpanAttributes.LINK.value)
    return _LINKS.validate_python(found)


def query_linked_spans(spans: Sequence[S], links: Sequence[LinkPydanticModel]) -> list[S]:
    """The spans that all links lead to: `Span`s or spans of the OpenTelemetry SDK."""
    return [span for span in spans if all(_leads_to(link, span) for link in links)]


def _leads_to(link: LinkPydanticModel, span: Any) -> bool:
    if link.key_match not in ("trace_id", "span_id"):
        return bool((span.attributes or {}).get(link.key_match) == link.value_match)
    digits = getattr(span, link.key_match, None)
    if digits is None:  # of the SDK, whose ids are numbers
        number = getattr(span.context, link.key_match) if span.context else None
        width = 32 if link.key_match == "trace_id" else 16
        digits = None if number is None else f"{number:0{width}x}"
    return bool(digits == link.value_match)


def format_exception_attributes(exception: BaseException) -> Attributes:
    """An exception as OpenTelemetry's attributes for one."""
    made: Attributes = {
        "exception.type": type(exception).__name__,
        "exception.message": str(exception),
        "exception.escaped": True,
    }
    trace = "".join(traceback.format_exception(exception))
    return {**made, "exception.stacktrace": trace} if trace.strip() else made


def full_qualified_name(obj: type) -> str:
    """The name of a class with its module, unless it is a built-in one."""
    home = str(obj.__module__)
    return obj.__qualname__ if home == "builtins" else f"{home}.{obj.__qualname__}"
