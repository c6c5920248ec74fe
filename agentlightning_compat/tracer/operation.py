"""An operation that is being recorded, with nothing but Python."""

from __future__ import annotations

import time

from agentlightning_compat.model import Attributes, SpanCoreFields, StatusCode, TraceStatus
from agentlightning_compat.span_attributes import format_exception_attributes


class RecordedOperation:
    """What the code inside an operation writes to; see `SpanRecordingContext`."""

    def __init__(
        self, name: str, attributes: Attributes | None = None, start_time: float | None = None
    ) -> None:
        self.name = name
        self.attributes: Attributes = dict(attributes or {})
        self.start_time = time.time() if start_time is None else start_time
        self.end_time: float | None = None
        self.status = TraceStatus(status_code="OK")

    def record_exception(self, exception: BaseException) -> None:
        """The operation failed with it."""
        self.record_status("ERROR", str(exception))
        self.record_attributes(format_exception_attributes(exception))

    def record_attributes(self, attributes: Attributes) -> None:
        """Add attributes."""
        self.attributes.update(attributes)

    def record_status(self, status_code: StatusCode, description: str | None = None) -> None:
        """Set the status."""
        self.status = TraceStatus(status_code=status_code, description=description)

    def finalize(self, end_time: float | None = None) -> None:
        """It is over, now or at `end_time`."""
        self.end_time = time.time() if end_time is None else end_time

    def get_recorded_span(self) -> SpanCoreFields:
        """The span that it became.

        Raises:
            ValueError: it is not over yet.
        """
        if self.end_time is None:
            raise ValueError(f"the operation {self.name!r} is not over yet")
        return SpanCoreFields(
            name=self.name,
            status=self.status,
            attributes=self.attributes,
            start_time=self.start_time,
            end_time=self.end_time,
        )
