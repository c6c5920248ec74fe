"""Constants, small types, and functions of a line or two."""

from __future__ import annotations

import argparse
import inspect
import secrets
from collections.abc import Callable
from typing import Any, Literal, TypedDict, TypeVar

from pydantic import BaseModel

T = TypeVar("T")

DEFAULT_FORMAT = "%(asctime)s [%(levelname)s] (Process-%(process)d %(name)s)   %(message)s"
DATE_FORMAT = "%H:%M:%S"
LaunchMode = Literal["asyncio", "thread", "mp"]

# Above this a time is told in nanoseconds.
_NANOSECONDS_FROM = 1e12
_NOTHING = ("none", "null", "~", "nil")


class CliConfigurable:
    """A class whose arguments come from a command line."""


class RewardSpanData(TypedDict):
    """A reward as 0.1 and 0.2 recorded it."""

    type: Literal["reward"]
    value: float | None


class Transition(BaseModel):
    """A call of a model: the token ids that went in and came out, and the reward."""

    state: list[int]
    action: list[int]
    response_id: str | None
    agent_name: str
    reward: float | None


def nullable_str(value: str) -> str | None:
    """A text from a command line; None for `none`, `null`, `nil` and `~`."""
    return None if value.lower() in _NOTHING else value


def nullable_int(value: str) -> int | None:
    """A number from a command line, or None as for `nullable_str`.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    return _nullable(value, int, "integer")


def nullable_float(value: str) -> float | None:
    """A number from a command line, or None as for `nullable_str`.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    return _nullable(value, float, "float")


def _nullable(value: str, kind: Callable[[str], T], name: str) -> T | None:
    if value.lower() in _NOTHING:
        return None
    try:
        return kind(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is no {name}") from None


def generate_id(length: int) -> str:
    """Random hexadecimal digits, 40 at most."""
    return secrets.token_hex(20)[:length]


def convert_timestamp(timestamp: int | None) -> float | None:
    """A time in seconds, from seconds or nanoseconds; None for None and 0."""
    if not timestamp:
        return None
    return timestamp / 1_000_000_000 if timestamp > _NANOSECONDS_FROM else timestamp


def is_v0_1_rollout_api(func: Callable[..., Any]) -> bool:
    """Whether a method of an agent is written for 0.1: it takes a `rollout_id`."""
    return "rollout_id" in inspect.signature(func).parameters
