"""Objects from the command line: one option for each parameter of their constructors."""

from __future__ import annotations

import argparse
import inspect
import json
import logging
import types
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_log = logging.getLogger(__name__)

_NOTHING = ("none", "null", "~", "nil")
_YES = ("yes", "true", "t", "y", "1")
_NO = ("no", "false", "f", "n", "0")


@overload
def lightning_cli(cls1: type[A], /) -> A: ...
@overload
def lightning_cli(cls1: type[A], cls2: type[B], /) -> tuple[A, B]: ...
@overload
def lightning_cli(cls1: type[A], cls2: type[B], cls3: type[C], /) -> tuple[A, B, C]: ...
@overload
def lightning_cli(
    cls1: type[A], cls2: type[B], cls3: type[C], cls4: type[D], /
) -> tuple[A, B, C, D]: ...
@overload
def lightning_cli(*classes: type[Any]) -> tuple[Any, ...]: ...
def lightning_cli(*classes: type[Any]) -> Any:
    """Make an instance of each class from the arguments that the program was started with.

    The option for a parameter is `--classname.parameter-name`. Types come from annotations:
    numbers, text, `true`/`false`, `none` where None is allowed, one of a Literal, several values
    for a list; a value in braces is JSON where a dictionary is allowed. Returns the instance, or a
    tuple of them.

    Raises:
        SystemExit: the arguments make no sense, or ask for help.
    """
    parser = argparse.ArgumentParser(
        description="Settings of the parts of this program.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    wanted = {cls: _parameters(cls) for cls in classes}
    for cls, parameters in wanted.items():
        group = parser.add_argument_group(cls.__name__)
        for name, (parameter, annotation) in parameters.items():
            _add_option(group, cls, name, parameter, annotation)
    if not classes:
        return ()
    given = vars(parser.parse_args())
    made = []
    for cls, parameters in wanted.items():
        arguments = {name: given[_key(cls, name)] for name in parameters}
        _log.info("%s is made with %s", cls.__name__, arguments)
        made.append(cls(**arguments))
    return made[0] if len(made) == 1 else tuple(made)


def _key(cls: type[Any], name: str) -> str:
    return f"{cls.__name__.lower()}.{name}"


def _parameters(cls: type[Any]) -> dict[str, tuple[inspect.Parameter, Any]]:
    constructor = inspect.unwrap(vars(cls).get("__init__", cls.__init__))
    try:
        hints = get_type_hints(constructor)
    except Exception as error:  # whatever an annotation does when it is evaluated
        _log.warning("the annotations of %s cannot be read: %s", cls.__name__, error)
        hints = {}
    _self, *parameters = inspect.signature(constructor).parameters.values()
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        parameter.name: (parameter, hints.get(parameter.name, Any))
        for parameter in parameters
        if parameter.kind not in several
    }


def _add_option(
    group: argparse._ArgumentGroup,
    cls: type[Any],
    name: str,
    parameter: inspect.Parameter,
    annotation: Any,
) -> None:
    options = _alternatives(annotation)
    optional = type(None) in options
    needed = parameter.default is inspect.Parameter.empty and not optional
    lists = [option for option in options if get_origin(option) is list or option is list]
    settings: dict[str, Any] = {"type": _reader(options)}
    if lists:
        items = get_args(lists[0]) or (Any,)
        settings = {"nargs": "*", "type": _reader(_alternatives(items[0]))}
    if not needed:
        missing = parameter.default is inspect.Parameter.empty
        settings["default"] = None if missing else parameter.default
    group.add_argument(
        f"--{cls.__name__.lower()}.{name.replace('_', '-')}",
        dest=_key(cls, name),
        required=needed,
        metavar=name.upper(),
        help=inspect.formatannotation(annotation).replace("%", "%%"),
        **settings,
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _reader(options: tuple[Any, ...]) -> Callable[[str], Any]:
    """What makes a value of a text, for a parameter that takes one of `options`."""
    optional = type(None) in options
    rest = [option for option in options if option is not type(None)]

    def read(text: str) -> Any:
        if optional and text.lower() in _NOTHING:
            return None
        return _value(text, rest)

    return read


def _value(text: str, options: list[Any]) -> Any:
    if text.startswith("{") and any(dict in (option, get_origin(option)) for option in options):
        return _from_json(text)
    problem: argparse.ArgumentTypeError | None = None
    for option in options:
        reader = _READERS.get(option)
        if get_origin(option) is Literal:
            reader = _one_of(get_args(option))
        if reader is None:
            return text
        try:
            return reader(text)
        except (ValueError, argparse.ArgumentTypeError) as error:
            problem = argparse.ArgumentTypeError(f"{text!r}: {error}")
    if problem is not None:
        raise problem
    return text


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON: {error}") from error


def _one_of(values: tuple[Any, ...]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        for value in values:
            if str(value) == text:
                return value
        raise ValueError(f"none of {', '.join(map(str, values))}")

    return read


def _bool(text: str) -> bool:
    word = text.lower()
    if word not in (*_YES, *_NO):
        raise ValueError("neither yes nor no")
    return word in _YES


_READERS: dict[Any, Callable[[str], Any]] = {int: int, float: float, str: str, bool: _bool}
