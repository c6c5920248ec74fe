"""New ids, of the forms that agentlightning gives out."""

from __future__ import annotations

import os


def rollout_id() -> str:
    """`ro-` and 12 hexadecimal digits."""
    return "ro-" + os.urandom(6).hex()


def attempt_id() -> str:
    """`at-` and 8 hexadecimal digits; unique within one rollout."""
    return "at-" + os.urandom(4).hex()


def resources_id() -> str:
    """`rs-` and 12 hexadecimal digits."""
    return "rs-" + os.urandom(6).hex()


def trace_id() -> str:
    """32 hexadecimal digits, as OpenTelemetry has them."""
    return os.urandom(16).hex()


def span_id() -> str:
    """16 hexadecimal digits, as OpenTelemetry has them."""
    return os.urandom(8).hex()
