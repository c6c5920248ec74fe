"""Components from what a user writes for them: an instance, a class, a name, a dictionary."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar, overload

from agentlightning_compat.errors import InvalidRequestError

T = TypeVar("T")
OptionalDefaults = Mapping[str, Any]

# Where names of agentlightning's modules lead to: a configuration need not be rewritten.
_REAL, _HERE = "agentlightning", "agentlightning_compat"


def load_class(path: str) -> type[Any]:
    """Import what a dotted path names.

    A path of `agentlightning` gives what has the same name here: its own classes do not go
    together with those of this package.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such name.
        ValueError: the path has no dot.
    """
    module, separator, name = path.rpartition(".")
    if not separator:
        raise InvalidRequestError(f"{path!r} is no path of a class, such as 'package.Class'")
    if module.partition(".")[0] == _REAL:
        ours = getattr(import_module(_HERE), name, None)
        if ours is not None:
            return ours  # type: ignore[no-any-return]
    found: type[Any] = getattr(import_module(module), name)
    return found


def instantiate_component(
    cls: type[Any],
    provided_kwargs: dict[str, Any] | None = None,
    optional_defaults: OptionalDefaults | None = None,
) -> Any:
    """Make an instance. A default is used when the constructor has a parameter of its name and
    it is not given; one that can be called is called for the value."""
    given = dict(provided_kwargs or {})
    if optional_defaults:
        parameters = inspect.signature(cls.__init__).parameters
        for name, value in optional_defaults.items():
            if name in parameters and name not in given:
                given[name] = value() if callable(value) else value
    return cls(**given)


def instantiate_from_spec(
    spec: str | dict[str, Any],
    *,
    spec_name: str,
    optional_defaults: OptionalDefaults | None = None,
    dict_requires_type: bool = True,
    dict_default_cls: type[Any] | None = None,
    registry: dict[str, str] | None = None,
) -> Any:
    """Make an instance of what a path or an alias names, or of `{"type": ..., arguments}`.

    Raises:
        ValueError: the dictionary has no type, and none is known.
        TypeError: it is neither a string nor a dictionary.
    """
    aliases = registry or {}
    if isinstance(spec, str):
        return instantiate_component(
            load_class(aliases.get(spec, spec)), optional_defaults=optional_defaults
        )
    if not isinstance(spec, dict):
        raise TypeError(f"{spec_name} is a string or a dictionary here, not a {type(spec)}")
    arguments = dict(spec)
    path = arguments.pop("type", None)
    if path is None and aliases and "name" in arguments:
        path = aliases.get(arguments.pop("name"))
    elif path is not None:
        path = aliases.get(path, path)
    cls = dict_default_cls if path is None and not dict_requires_type else None
    if path is not None:
        cls = path if isinstance(path, type) else load_class(path)
    if cls is None:
        raise InvalidRequestError(
            f"the dictionary for {spec_name} has no 'type' with the path of its class"
        )
    return instantiate_component(cls, arguments, optional_defaults)


@overload
def build_component(
    spec: T | str | dict[str, Any] | type[T] | Callable[[], T] | None,
    *,
    expected_type: type[T],
    spec_name: str,
    default_factory: Callable[[], T],
    allow_none: bool = ...,
    optional_defaults: OptionalDefaults | None = ...,
    dict_requires_type: bool = ...,
    dict_default_cls: type[T] | None = ...,
    type_error_fmt: str | None = ...,
    invalid_spec_error_fmt: str | None = ...,
    registry: dict[str, str] | None = ...,
) -> T: ...
@overload
def build_component(
    spec: T | str | dict[str, Any] | type[T] | Callable[[], T] | None,
    *,
    expected_type: type[T],
    spec_name: str,
    default_factory: None = ...,
    allow_none: bool = ...,
    optional_defaults: OptionalDefaults | None = ...,
    dict_requires_type: bool = ...,
    dict_default_cls: type[T] | None = ...,
    type_error_fmt: str | None = ...,
    invalid_spec_error_fmt: str | None = ...,
    registry: dict[str, str] | None = ...,
) -> T | None: ...
def build_component(  # noqa: PLR0913, the public signature
    spec: T | str | dict[str, Any] | type[T] | Callable[[], T] | None,
    *,
    expected_type: type[T],
    spec_name: str,
    default_factory: Callable[[], T] | None = None,
    allow_none: bool = False,
    optional_defaults: OptionalDefaults | None = None,
    dict_requires_type: bool = True,
    dict_default_cls: type[T] | None = None,
    type_error_fmt: str | None = None,
    invalid_spec_error_fmt: str | None = None,
    registry: dict[str, str] | None = None,
) -> T | None:
    """Make a component of what a user wrote for it.

    Args:
        spec: an instance, which is taken as it is; a class; something to call; the path of a
            class; a dictionary with such a path as `type` and arguments; or None.
        expected_type: the class that the component has to be of.
        spec_name: what it is called in errors.
        default_factory: makes it when `spec` is None.
        allow_none: whether it may be None.
        optional_defaults: arguments for constructors that have a parameter for them.
        dict_requires_type: whether a dictionary must name its class.
        dict_default_cls: the class of a dictionary that need not name it and does not.
        type_error_fmt: text of the TypeError, with {type_name} and {expected_type}.
        invalid_spec_error_fmt: text of the ValueError, with {actual_type} and {expected_type}.
        registry: paths by their aliases.

    Raises:
        TypeError: what was made is not of the class.
        ValueError: nothing can be made of `spec`.
        ImportError: what it names cannot be imported.
    """
    if isinstance(spec, expected_type):
        return spec
    if spec is None and default_factory is None and allow_none:
        return None
    if isinstance(spec, str | dict):
        made = instantiate_from_spec(
            spec,
            spec_name=spec_name,
            optional_defaults=optional_defaults,
            dict_requires_type=dict_requires_type,
            dict_default_cls=dict_default_cls,
            registry=registry,
        )
    else:
        make = _maker(spec, expected_type, default_factory, optional_defaults)
        if make is None:
            text = invalid_spec_error_fmt or (
                f"{spec_name}: nothing can be made of {{actual_type}}; an instance, a class, a"
                " factory, a path or a dictionary for {expected_type} is wanted"
            )
            raise InvalidRequestError(
                text.format(actual_type=type(spec), expected_type=expected_type.__name__)
            )
        made = make()
    if not isinstance(made, expected_type):
        text = type_error_fmt or f"{spec_name} gave {{type_name}}, which is no {{expected_type}}"
        raise TypeError(text.format(type_name=type(made), expected_type=expected_type.__name__))
    return made


def _maker(
    spec: Any,
    expected_type: type[Any],
    default_factory: Callable[[], Any] | None,
    optional_defaults: OptionalDefaults | None,
) -> Callable[[], Any] | None:
    if spec is None:
        return default_factory
    if isinstance(spec, type):
        wanted = issubclass(spec, expected_type)
        return (lambda: instantiate_component(spec, None, optional_defaults)) if wanted else None
    return spec if callable(spec) else None
