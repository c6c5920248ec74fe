"""The spans of one trace context, and which context the running code belongs to."""

from __future__ import annotations

import logging
import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING

from agentlightning_compat.model import Span, SpanContext, ids

if TYPE_CHECKING:
    from agentlightning_compat.tracer.base import Tracer
    from agentlightning_compat.tracer.writer import SpanWriter


_log = logging.getLogger(__name__)
_said: set[str] = set()


class Recording:
    """What one context collects; from any thread."""

    def __init__(self, tracer: Tracer, name: str | None, writer: SpanWriter | None) -> None:
        self.tracer = tracer
        self.name = name
        self.trace_id = ids.trace_id()
        self.rollout_id = ""
        self.attempt_id = ""
        self._writer = writer
        self._lock = threading.Lock()
        self._spans: list[Span] = []
        self._open = True
        self._said_late = False

    def add(self, span: Span) -> None:
        """Take a span. One that comes when the context was left is too late."""
        span.rollout_id, span.attempt_id = self.rollout_id, self.attempt_id
        with self._lock:
            if not self._open:
                self._say_late(span)
                return
            self._spans.append(span)
            if self._writer is None:
                span.sequence_id = len(self._spans)
        if self._writer is not None:
            self._writer.add(span)

    def _say_late(self, span: Span) -> None:
        if not self._said_late:
            self._said_late = True
            _log.warning(
                "span %r ended after its rollout %s, and is left out", span.name, self.rollout_id
            )

    @property
    def spans(self) -> list[Span]:
        """Copies of what was taken so far, in the order of the sequence ids."""
        with self._lock:
            taken = list(self._spans)
        # What has no number yet comes last, in the order in which it came.
        ordered = sorted(taken, key=lambda span: span.sequence_id or float("inf"))
        return [span.model_copy(update={"attributes": dict(span.attributes)}) for span in ordered]

    async def close(self) -> None:
        """Take no more, and have all of it in the store."""
        with self._lock:
            self._open = False
        if self._writer is not None:
            await self._writer.close()


_recording: ContextVar[Recording | None] = ContextVar(
    "agentlightning_compat_recording", default=None
)
# The last one that was left in this context.
_last: ContextVar[Recording | None] = ContextVar("agentlightning_compat_last", default=None)
# The span that spans made by this runtime itself are children of.
parent: ContextVar[SpanContext | None] = ContextVar("agentlightning_compat_parent", default=None)

# The last one of each tracer in the whole process, for code that is outside of all: what follows
# asyncio.run() sees nothing of the context in there.
_last_of: weakref.WeakKeyDictionary[Tracer, Recording] = weakref.WeakKeyDictionary()

# Weak, as a task that is thrown away in the middle of its context never leaves it.
_open: weakref.WeakValueDictionary[int, Recording] = weakref.WeakValueDictionary()
_open_lock = threading.Lock()


def enter(recording: Recording) -> None:
    """What happens in this context from now on belongs to `recording`."""
    _recording.set(recording)
    with _open_lock:
        _open[id(recording)] = recording


def leave(recording: Recording) -> None:
    """It is over."""
    if _recording.get() is recording:
        _recording.set(None)
    _last.set(recording)
    with _open_lock:
        _open.pop(id(recording), None)
        _last_of[recording.tracer] = recording


def current() -> Recording | None:
    """The recording that the running code knows to belong to."""
    return _recording.get()


def only_one() -> Recording | None:
    """The recording that is open, if it is the only one in the process."""
    with _open_lock:
        found = list(_open.values())
    return found[0] if len(found) == 1 else None


def lost(what: str, tracer: Tracer | None = None) -> None:
    """Say, once, that a span cannot be placed, if there are recordings it may belong to: those of
    the tracer that it was given to, or all."""
    if len(_open) < 2 or "lost" in _said:
        return
    with _open_lock:
        found = [one for one in _open.values() if tracer is None or one.tracer is tracer]
    if len(found) < 2:
        return
    _said.add("lost")
    _log.warning(
        "%s was made in a thread that does not know for which of %d rollouts it works, and is"
        " left out, as others will be: run the thread's function by contextvars.copy_context().run",
        what,
        len(found),
    )


def here(tracer: Tracer) -> Recording | None:
    """The recording of a tracer that the running code belongs to.

    A thread that an agent started by itself knows of none: it is the only one, if there is one.
    """
    found = current() or only_one()
    return found if found is not None and found.tracer is tracer else None


def last(tracer: Tracer) -> Recording | None:
    """The recording that is open here, or was left last: here, or else anywhere."""
    for found in (_recording.get(), _last.get()):
        if found is not None and found.tracer is tracer:
            return found
    with _open_lock:
        return _last_of.get(tracer)
