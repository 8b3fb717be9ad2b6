"""Find an object by name, class, config or callable, and write it back as a config."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from gngen.errors import SpecError

_KERAS = ("keras", "tf_keras")


class Configurable:
    """A base for frozen dataclasses whose fields are their config."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, by name; ``from_config`` gives an equal object back."""
        return {name: getattr(self, name) for name in _field_names(type(self))}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An instance from its constructor's arguments.

        Raises:
            SpecError: an argument that the class does not take, or a value that it refuses.
        """
        unknown = [key for key in config if key not in _field_names(cls)]
        if unknown:
            takes = ", ".join(_field_names(cls)) or "nothing"
            raise SpecError(f"{cls.__name__} does not take {', '.join(map(repr, unknown))}; it takes {takes}")
        return cls(**config)

    def _put(self, **values: Any) -> None:
        """Set fields of the frozen instance; for ``__post_init__`` only."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Registry:
    """The classes of one kind, found by name.

    Args:
        kind: what they are, for the errors: initializer, regularizer or constraint.
        classes: the classes to choose from.
        aliases: further names, name -> class name.
    """

    kind: str
    classes: tuple[type[Configurable], ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def get(self, identifier: Any) -> Callable[..., Any] | None:
        """The object that `identifier` means.

        Args:
            identifier: None (answers None), a name in snake_case or CamelCase, a callable (answered as it is), a class
                (instantiated without arguments) or ``{"class_name": ..., "config": {...}}``, as Keras writes it too.

        Raises:
            SpecError: an identifier that means none of the registered classes, with the choices.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return self._instance(identifier, {}, identifier)
        if isinstance(identifier, Mapping):
            return self._from_dict(identifier)
        found = identifier() if isinstance(identifier, type) else identifier
        if not callable(found):
            raise self._unknown(identifier)
        return found  # type: ignore[no-any-return]

    def serialize(self, obj: Any) -> Any:
        """What `get` turns back into an equal object.

        Returns:
            None for None; ``{"class_name": ..., "config": {...}}``, which JSON can hold and Keras can read, for a
            registered class and for Keras's own class of the same name; any other callable as it is.
        """
        if type(obj) in self.classes:
            return {"class_name": type(obj).__name__, "config": obj.get_config()}
        if type(obj).__module__.split(".")[0] in _KERAS:
            try:
                return self.serialize(self.get({"class_name": type(obj).__name__, "config": obj.get_config()}))
            except SpecError:
                return obj
        return obj

    def _from_dict(self, identifier: Mapping[str, Any]) -> Callable[..., Any]:
        name, config = identifier.get("class_name"), identifier.get("config", {})
        module = identifier.get("module")
        custom = identifier.get("registered_name") or (module and str(module).split(".")[0] not in (*_KERAS, "gngen"))
        if custom or not isinstance(name, str) or not isinstance(config, Mapping):
            raise self._unknown(dict(identifier))
        return self._instance(name, config, dict(identifier))

    def _instance(self, name: str, config: Mapping[str, Any], identifier: Any) -> Callable[..., Any]:
        key = _key(name)
        wanted = _key(self.aliases.get(key, key))
        for cls in self.classes:
            if _key(cls.__name__) == wanted:
                return cls.from_config(config)  # type: ignore[return-value]
        raise self._unknown(identifier)

    def _unknown(self, identifier: Any) -> SpecError:
        names = ", ".join(_snake(cls.__name__) for cls in self.classes)
        return SpecError(
            f"Could not interpret {self.kind} identifier: {identifier}; choose from {names}, "
            "a callable, or {'class_name': ..., 'config': {...}} of one of these"
        )


def real(name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """`value` as a float, checked to be a finite number in [least, most].

    Raises:
        SpecError: naming the argument, its bounds and its value.
    """
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and least <= number <= most:
            return number
    bounds = [f"at least {least:g}"] * math.isfinite(least) + [f"at most {most:g}"] * math.isfinite(most)
    raise SpecError(f"{name} must be a finite number{''.join(', ' + b for b in bounds)}; received {name}={value!r}")


def _field_names(cls: type) -> list[str]:
    return [f.name for f in fields(cls)]


def _key(name: str) -> str:
    return name.replace("_", "").lower()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
