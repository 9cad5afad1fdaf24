"""How functions, classes, modules and what wraps them are read.

Those of the notebook are walked: code, defaults, closure, attributes. So are the local
modules that a function comes from. Those of libraries count by their identity, as far
as they hang on a module; a wrapper that a library made is looked into.
"""

from __future__ import annotations

import functools
import gc
import sys
import types
from functools import cache
from typing import Any

from nbtrack.capture.classes import is_a, module_of, name_of, root_of, vars_of
from nbtrack.capture.dataflow.portrait_inert import constant
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk, copied
from nbtrack.capture.modules import is_own_file

# Of a class: made anew by Python, or about its text only.
_SKIPPED = frozenset(
    [
        "__dict__",
        "__weakref__",
        "__doc__",
        "__module__",
        "__annotations__",
        "__abstractmethods__",
        "_abc_impl",
        "__static_attributes__",
        "__firstlineno__",
        "__annotate__",
        "__annotations_cache__",
        "__annotate_func__",
        "__classdictcell__",
        "__match_args__",
        "__parameters__",
        "__slots__",
    ]
)
_SEEN = ("class seen",)
_module_dict: Any = vars(types.ModuleType)["__dict__"].__get__
_bases_of: Any = type.__dict__["__bases__"].__get__
_wrapper_type: Any = functools._lru_cache_wrapper


def is_own_class(walk: Walk, kind: type) -> bool:
    """Whether a class is of the notebook or of a local module, not of a library."""
    known = walk.own_classes.get(id(kind))
    if known is None:
        known = walk.own_classes[id(kind)] = _is_own_class(walk, kind)
        walk.alive.append(kind)
    return known


def _is_own_class(walk: Walk, kind: type) -> bool:
    name = module_of(kind)
    if name in (walk.name, "__main__"):
        return True
    if name in sys.builtin_module_names:
        return False
    module = sys.modules.get(name)
    if module is None:
        return root_of(kind) not in sys.modules
    return is_local_module(module)


def is_local_module(module: Any) -> bool:
    """Whether a module is somebody's own: no library's, and not built in.

    >>> is_local_module(sys), is_local_module(types.ModuleType("made_here"))
    (False, True)
    """
    facts = _module_dict(module)
    if type(facts) is not dict:
        return False
    path, spec = facts.get("__file__"), facts.get("__spec__")
    if type(path) is str:
        return _is_own_path(path)
    return spec is None and "__path__" not in facts and not _is_main(facts)


def _is_main(facts: dict[str, Any]) -> bool:
    return facts.get("__name__") in ("__main__", *sys.builtin_module_names)


_is_own_path = cache(is_own_file)


def add_class(walk: Walk, kind: type, root: str) -> None:
    """The class of an instance: looked into where it is nobody's library."""
    if is_own_class(walk, kind):
        seen = walk.memo.get(id(kind))
        if seen is None:
            walk.stack.append(kind)
        else:
            walk.tokens.append(_SEEN)
            walk.tokens.append(seen)
    else:
        if root != "builtins":
            walk.roots.add(root)
        walk.tokens.append(("of", id(kind)))


def _class(walk: Walk, value: type) -> None:
    if not is_own_class(walk, value):
        root = root_of(value)
        if root != "builtins":
            walk.roots.add(root)
        constant(walk, value)
        return
    walk.tokens.append(("class", name_of(value)))
    facts = vars_of(value)
    pairs = [pair for pair in list(facts.items()) if pair[0] not in _SKIPPED]
    pairs = [pair for pair in pairs if id(type(pair[1])) not in _NOT_OF_CLASS]
    metaclass = type(value)
    members = [*_bases_of(value), *(pair[1] for pair in pairs)]
    walk.add_members(("names",), [pair[0] for pair in pairs])
    walk.add_members(("members",), members)
    if metaclass is not type:
        add_class(walk, metaclass, root_of(metaclass))


_NOT_OF_CLASS = frozenset(
    map(id, (types.GetSetDescriptorType, types.MemberDescriptorType))
)


def _function(walk: Walk, value: types.FunctionType) -> None:
    home = value.__globals__
    code = value.__code__
    module = _module_of_globals(home)
    if home is walk.namespace:
        walk.codes[id(code)] = code
    elif module is None:
        _add_globals(walk, home)
    elif is_local_module(module):
        walk.stack.append(module)
    elif _is_of_library(walk, value, home):
        constant(walk, value)
        return
    walk.tokens.append(("function", id(code), hash(code.co_code)))
    walk.stack.append(value.__dict__ or None)
    walk.stack.append(value.__kwdefaults__)
    walk.stack.append(value.__defaults__)
    walk.stack.append(value.__closure__)


def _is_of_library(walk: Walk, value: types.FunctionType, home: Any) -> bool:
    """Whether it hangs on a module of a library, or holds nothing of its own."""
    walk.roots.add(home["__name__"].partition(".")[0])
    if not (value.__closure__ or value.__dict__ or value.__defaults__):
        return True
    return _hangs_on(home, value)


def _module_of_globals(home: Any) -> Any:
    name: Any = dict.get(home, "__name__")
    module = sys.modules.get(name) if type(name) is str else None
    if module is None or not is_a(module, types.ModuleType):
        return None
    return module if _module_dict(module) is home else None


def _add_globals(walk: Walk, home: dict[str, Any]) -> None:
    """What a function sees that was made by `exec`, or by `%run` of a file."""
    if id(home) in walk.memo:
        walk.tokens.append(("globals", walk.memo[id(home)]))
        return
    walk.memo[id(home)] = len(walk.memo)
    _add_named(walk, home)


def _hangs_on(home: Any, value: Any) -> bool:
    found: Any = None
    for name in value.__qualname__.split("."):
        facts = home if found is None else vars_of(found)
        found = facts.get(name)
        if type(found) is types.FunctionType or not issubclass(type(found), type):
            break
    return found is value


def _cell(walk: Walk, value: types.CellType) -> None:
    walk.tokens.append("cell")
    try:
        walk.stack.append(value.cell_contents)
    except ValueError:
        walk.tokens.append(("empty",))


def _method(walk: Walk, value: types.MethodType) -> None:
    walk.tokens.append("method")
    walk.stack.extend((value.__self__, value.__func__))
    walk.frozen.add(id(value))


def _built_in(walk: Walk, value: Any) -> None:
    """A function in C, or a method in C bound to something."""
    owner = value.__self__
    if owner is None or type(owner) is types.ModuleType or is_a(owner, type):
        module = value.__module__ if type(value) is types.BuiltinFunctionType else None
        if type(module) is str and module != "builtins":
            walk.roots.add(module.partition(".")[0])
        constant(walk, value)
        return
    walk.frozen.add(id(value))
    walk.tokens.append(("bound", value.__name__))
    walk.stack.append(owner)


_partial_get: Any = [
    functools.partial.__dict__[name].__get__ for name in ("func", "args", "keywords")
]


def _partial(walk: Walk, value: Any) -> None:
    walk.tokens.append("partial")
    walk.stack.append(functools.partial.__dict__["__dict__"].__get__(value) or None)
    walk.stack.extend(get(value) for get in _partial_get)


def _cached(walk: Walk, value: Any) -> None:
    """A function with an `lru_cache`: what it has kept, by the collector's own view."""
    walk.tokens.append(("cached", *_wrapper_type.cache_info(value)))
    facts = _wrapper_type.__dict__["__dict__"].__get__(value)
    kept = [one for one in gc.get_referents(value) if one is not facts]
    kept = [one for one in kept if not is_a(one, type) and not _is_index(one)]
    walk.alive.append(kept)
    walk.stack.append(facts.get("__wrapped__"))
    walk.stack.extend(kept)


def _is_index(value: Any) -> bool:
    """The dict of a bounded cache, whose values are links; the rest are results."""
    if type(value) is not dict or not value:
        return False
    return all(name_of(type(one)) == "_lru_list_elem" for one in list(value.values()))


def _property(walk: Walk, value: property) -> None:
    get = property.__dict__
    walk.tokens.append("property")
    walk.stack.extend(get[name].__get__(value) for name in ("fget", "fset", "fdel"))


def _static(walk: Walk, value: Any) -> None:
    base = staticmethod if is_a(value, staticmethod) else classmethod
    walk.tokens.append(base.__name__)
    walk.stack.append(base.__dict__["__func__"].__get__(value))


def _super(walk: Walk, value: Any) -> None:
    walk.tokens.append("super")
    walk.stack.append(super.__dict__["__self__"].__get__(value))


def _module(walk: Walk, value: types.ModuleType) -> None:
    facts = _module_dict(value)
    if type(facts) is not dict or facts is walk.namespace or not is_local_module(value):
        name = facts.get("__name__") if type(facts) is dict else None
        if type(name) is str:
            walk.roots.add(name.partition(".")[0])
        constant(walk, value)
        return
    walk.tokens.append("module")
    _add_named(walk, facts)


def _add_named(walk: Walk, facts: dict[str, Any]) -> None:
    pairs = copied(lambda some: list(dict.items(some)), facts)
    pairs = [pair for pair in pairs if not _is_dunder(pair[0])]
    walk.add_members(("names",), [pair[0] for pair in pairs])
    walk.add_members(("values",), [pair[1] for pair in pairs])


def _is_dunder(name: Any) -> bool:
    return type(name) is str and name.startswith("__") and name.endswith("__")


CODE: dict[type, Handler] = {
    type: _class,
    types.FunctionType: _function,
    types.CellType: _cell,
    types.MethodType: _method,
    types.BuiltinFunctionType: _built_in,
    types.MethodWrapperType: _built_in,
    functools.partial: _partial,
    _wrapper_type: _cached,
    property: _property,
    staticmethod: _static,
    classmethod: _static,
    super: _super,
    types.ModuleType: _module,
}
