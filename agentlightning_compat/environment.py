"""Settings that agentlightning reads from environment variables."""

from __future__ import annotations

import os
from enum import Enum
from typing import overload

from agentlightning_compat.errors import InvalidRequestError

_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


class LightningEnvVar(Enum):
    """The variables; the value of each is its name.

    AGL_EMITTER_DEBUG: log what emitters do. AGL_MANAGED_STORE: whether execution strategies put
    the store behind a server or a lock by themselves. AGL_CURRENT_ROLE: `algorithm`, `runner` or
    `both`. AGL_SERVER_HOST, AGL_SERVER_PORT: where the store server is.
    """

    AGL_EMITTER_DEBUG = "AGL_EMITTER_DEBUG"
    AGL_MANAGED_STORE = "AGL_MANAGED_STORE"
    AGL_CURRENT_ROLE = "AGL_CURRENT_ROLE"
    AGL_SERVER_HOST = "AGL_SERVER_HOST"
    AGL_SERVER_PORT = "AGL_SERVER_PORT"


@overload
def resolve_bool_env_var(env_var: LightningEnvVar, override: bool, fallback: bool) -> bool: ...
@overload
def resolve_bool_env_var(
    env_var: LightningEnvVar, override: bool | None = None, *, fallback: bool
) -> bool: ...
@overload
def resolve_bool_env_var(
    env_var: LightningEnvVar, override: bool | None = None, fallback: bool | None = None
) -> bool | None: ...
def resolve_bool_env_var(
    env_var: LightningEnvVar, override: bool | None = None, fallback: bool | None = None
) -> bool | None:
    """`override` if there is one, else the variable, else `fallback`.

    Raises:
        InvalidRequestError: the variable says neither yes (1, true, yes, on) nor no (0, false,
            no, off).
    """
    text = os.environ.get(env_var.value)
    if override is not None or text is None:
        return fallback if override is None else override
    word = text.strip().lower()
    if word not in (*_YES, *_NO):
        raise InvalidRequestError(
            f"{env_var.value} must be one of {', '.join((*_YES, *_NO))}, not {text!r}"
        )
    return word in _YES


@overload
def resolve_int_env_var(env_var: LightningEnvVar, override: int, fallback: int) -> int: ...
@overload
def resolve_int_env_var(
    env_var: LightningEnvVar, override: int | None = None, *, fallback: int
) -> int: ...
@overload
def resolve_int_env_var(
    env_var: LightningEnvVar, override: int | None = None, fallback: int | None = None
) -> int | None: ...
def resolve_int_env_var(
    env_var: LightningEnvVar, override: int | None = None, fallback: int | None = None
) -> int | None:
    """`override` if there is one, else the variable, else `fallback`.

    Raises:
        InvalidRequestError: the variable is no integer.
    """
    text = os.environ.get(env_var.value)
    if override is not None or text is None:
        return fallback if override is None else override
    try:
        return int(text)
    except ValueError:
        raise InvalidRequestError(f"{env_var.value} must be an integer, not {text!r}") from None


@overload
def resolve_str_env_var(env_var: LightningEnvVar, override: str, fallback: str) -> str: ...
@overload
def resolve_str_env_var(
    env_var: LightningEnvVar, override: str | None = None, *, fallback: str
) -> str: ...
@overload
def resolve_str_env_var(
    env_var: LightningEnvVar, override: str | None = None, fallback: str | None = None
) -> str | None: ...
def resolve_str_env_var(
    env_var: LightningEnvVar, override: str | None = None, fallback: str | None = None
) -> str | None:
    """`override` if there is one, else the variable, else `fallback`."""
    if override is not None:
        return override
    return os.environ.get(env_var.value, fallback)
