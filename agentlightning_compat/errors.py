"""Every error that the runtime raises on purpose.

    CompatError
    ├── InvalidRequestError (ValueError)      the arguments make no sense; nothing was done
    │   └── UnstorableValueError              a value that this store cannot keep, such as an object
    ├── NotFoundError (ValueError)            an id that is not in the store
    │   ├── RolloutNotFoundError
    │   └── AttemptNotFoundError
    ├── UnauthorizedError (PermissionError)   the server wants a token, or another one
    ├── SpansEvictedError (RuntimeError)      the spans were there and had to make room
    ├── UnsupportedError (NotImplementedError) this store does not offer the operation
    ├── StoreUnavailableError (ConnectionError) not now; the same call may work later
    │   ├── StoreBusyError                    somebody else holds what the call needs
    │   └── StoreClosedError                  the store was closed
    ├── StorageError (OSError)                what lies below the store failed
    │   ├── StorageFullError
    │   ├── StorageReadOnlyError
    │   ├── StorageCorruptError
    │   └── SchemaVersionError                the data was written by another release
    └── InternalError (RuntimeError)          a mistake of ours, or of the other side of a wire

The names that stand beside the built-in ones are there because agentlightning raises plain
`ValueError` and `RuntimeError`: code that catches those keeps working.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar


class CompatError(Exception):
    """The root. `code` names the kind on a wire, `status` is its HTTP status."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retry_may_help: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """What happened, in words."""
        return str(self.args[0]) if self.args else self.code


class InvalidRequestError(CompatError, ValueError):
    """An argument has no meaning; nothing was changed."""

    code = "invalid_request"
    status = 400


class UnstorableValueError(InvalidRequestError):
    """A value cannot be kept by this store without losing something."""

    code = "unstorable_value"
    status = 422


class NotFoundError(CompatError, ValueError):
    """An id is not in the store."""

    code = "not_found"
    status = 404


class RolloutNotFoundError(NotFoundError):
    """There is no rollout of this id."""

    code = "rollout_not_found"


class AttemptNotFoundError(NotFoundError):
    """The rollout has no such attempt, or no attempt at all."""

    code = "attempt_not_found"


class UnauthorizedError(CompatError, PermissionError):
    """A server wants a token, or another one."""

    code = "unauthorized"
    status = 401


class SpansEvictedError(CompatError, RuntimeError):
    """The spans of this rollout were dropped to stay within the memory bounds."""

    code = "spans_evicted"
    status = 410


class UnsupportedError(CompatError, NotImplementedError):
    """This store does not offer the operation."""

    code = "unsupported"
    status = 501


class StoreUnavailableError(CompatError, ConnectionError):
    """The store cannot be reached now."""

    code = "unavailable"
    status = 503
    retry_may_help = True


class StoreBusyError(StoreUnavailableError):
    """Something that the call needs was locked for too long."""

    code = "busy"


class StoreClosedError(StoreUnavailableError):
    """The store was closed; open it again."""

    code = "closed"
    retry_may_help = False


class StorageError(CompatError, OSError):
    """The disk or the database below the store failed."""

    code = "storage"
    status = 500


class StorageFullError(StorageError):
    """There is no room left; what was acknowledged before is safe."""

    code = "storage_full"
    status = 507


class StorageReadOnlyError(StorageError):
    """The store's data must not be written."""

    code = "storage_read_only"


class StorageCorruptError(StorageError):
    """What is stored cannot be read as a store."""

    code = "storage_corrupt"


class SchemaVersionError(StorageError):
    """The data has a schema that this release does not know."""

    code = "schema_version"


class InternalError(CompatError, RuntimeError):
    """Should not happen: a mistake in the runtime, or an answer that makes no sense."""

    code = "internal"


def tree(root: type[CompatError] = CompatError) -> Iterator[type[CompatError]]:
    """The class itself and all classes below it, parents first."""
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def from_code(code: str, message: str) -> CompatError:
    """The error that a wire code stands for; `InternalError` for a code nobody knows."""
    known: dict[str, type[CompatError]] = {kind.code: kind for kind in tree()}
    kind = known.get(code)
    return kind(message) if kind else InternalError(f"{code}: {message}")


def to_wire(error: CompatError) -> dict[str, Any]:
    """What the other side of a wire is told; never a traceback."""
    return {"code": error.code, "detail": error.message, "retry": error.retry_may_help}
