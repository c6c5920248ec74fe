"""Setting up the log of this package, on the console and in files."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakSet

from agentlightning_compat.errors import InvalidRequestError

# Programs set up `agentlightning`; what this package logs is under its own name.
NAME = "agentlightning"
_OWN = "agentlightning_compat"
_FORMAT = "%(asctime)s [%(levelname)s] (Process-%(process)d %(name)s)   %(message)s"
_TIME = "%H:%M:%S"
_WIDTH = 200
# What is closed when it is replaced: handlers of others are theirs.
_MADE: WeakSet[logging.Handler] = WeakSet()


def configure_logger(level: int = logging.INFO, name: str = NAME) -> logging.Logger:
    """Deprecated: see `setup_logging`."""
    warnings.warn(
        "configure_logger() is deprecated: call setup_logging()", DeprecationWarning, stacklevel=2
    )
    return setup_module_logging(level, name=name)


def setup_module_logging(
    level: int | str = "INFO",
    *,
    name: str = NAME,
    console: bool = True,
    color: bool | dict[str, Any] = True,
    propagate: bool = False,
    disable_existing_loggers: bool = False,
) -> logging.Logger:
    """Set up one logger anew, and return it.

    Args:
        level: of the logger and of the console.
        name: of the logger. What is set up for `agentlightning` holds for this package too.
        console: whether to write to the terminal.
        color: whether rich does that, if it is installed; a dictionary is for its RichHandler.
        propagate: whether loggers above get the records too.
        disable_existing_loggers: whether all loggers that exist are turned off first.

    Raises:
        InvalidRequestError: there is no such level.
    """
    number = _level(level)
    if disable_existing_loggers:
        for known in list(logging.root.manager.loggerDict.values()):
            if isinstance(known, logging.Logger):
                known.disabled = True
    handlers = [_console(number, color)] if console else []
    for each in _names(name):
        logger = logging.getLogger(each)
        logger.disabled = False
        _replace(logger, handlers, number)
        logger.propagate = propagate
    return logging.getLogger(name)


def setup_logging(  # noqa: PLR0913, the public signature
    level: int | str = "INFO",
    *,
    console: bool = True,
    color: bool | dict[str, Any] = True,
    propagate: bool = False,
    disable_existing_loggers: bool = False,
    capture_warnings: bool = False,
    submodule_levels: dict[str, int | str] | None = None,
    extra_handlers: list[logging.Handler] | None = None,
    formatter: logging.Formatter | None = None,
    apply_to: list[str] | None = None,
    files: str | dict[str, str] | None = None,
) -> None:
    """Set up the log of agentlightning and of this package.

    Args:
        level, console, color, propagate, disable_existing_loggers: see `setup_module_logging`.
        capture_warnings: whether Python's warnings go to the log.
        submodule_levels: levels of loggers by their names.
        extra_handlers: handlers to add.
        formatter: for handlers that have none.
        apply_to: names of other loggers that get the same handlers and level.
        files: a file for all, or files by the names of loggers.

    Raises:
        InvalidRequestError: there is no such level.
    """
    base = setup_module_logging(
        level,
        console=console,
        color=color,
        propagate=propagate,
        disable_existing_loggers=disable_existing_loggers,
    )
    own = logging.getLogger(_OWN)
    for handler in base.handlers:
        if formatter is not None and handler.formatter is None:
            handler.setFormatter(formatter)
    for handler in extra_handlers or ():
        for logger in (base, own):
            logger.addHandler(handler)
    _set_levels(base, submodule_levels or {})
    for name, filename in _files(files):
        _to_file(logging.getLogger(name), filename, formatter)
    for name in apply_to or ():
        other = logging.getLogger(name)
        _replace(other, base.handlers, base.level)
        other.propagate = False
    if capture_warnings:
        logging.captureWarnings(True)


def _names(name: str) -> tuple[str, ...]:
    # Loggers of this package follow those of agentlightning, module by module.
    if name == NAME or name.startswith(f"{NAME}."):
        return name, f"{_OWN}{name[len(NAME) :]}"
    return (name,)


def _level(level: int | str) -> int:
    number = level if isinstance(level, int) else logging.getLevelName(str(level).upper())
    if not isinstance(number, int):
        raise InvalidRequestError(f"there is no log level {level!r}")
    return number


def _replace(logger: logging.Logger, handlers: list[logging.Handler], level: int) -> None:
    for old in list(logger.handlers):
        logger.removeHandler(old)
        if old in _MADE and old not in handlers:
            old.close()
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(level)


def _console(level: int, color: bool | dict[str, Any]) -> logging.Handler:
    handler = _rich(color) if color is not False else None
    if handler is None:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT, _TIME))
    handler.setLevel(level)
    return handler


def _rich(color: bool | dict[str, Any]) -> logging.Handler | None:
    try:
        from rich.console import Console
        from rich.logging import RichHandler
    except ImportError:
        return None
    if isinstance(color, dict):
        return RichHandler(**color)
    console = None if sys.stdout.isatty() else Console(width=_WIDTH)
    return RichHandler(console=console, rich_tracebacks=False, markup=False, show_path=True)


def _set_levels(base: logging.Logger, levels: Mapping[str, int | str]) -> None:
    for name, level in levels.items():
        number = _level(level)
        if number < base.level:
            base.warning(
                "%s has level %s, below that of its handlers (%s): they leave out what is below"
                " theirs",
                name,
                logging.getLevelName(number),
                logging.getLevelName(base.level),
            )
        for each in _names(name):
            logging.getLogger(each).setLevel(number)


def _files(files: str | dict[str, str] | None) -> list[tuple[str, str]]:
    if files is None:
        return []
    pairs = files.items() if isinstance(files, dict) else [(NAME, files)]
    return [(each, filename) for name, filename in pairs for each in _names(name)]


def _to_file(logger: logging.Logger, filename: str, formatter: logging.Formatter | None) -> None:
    path = os.path.abspath(filename)
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler) and handler.baseFilename == path:
            return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setLevel(logger.getEffectiveLevel())
    handler.setFormatter(formatter or logging.Formatter(_FORMAT, _TIME))
    _MADE.add(handler)
    logger.addHandler(handler)
