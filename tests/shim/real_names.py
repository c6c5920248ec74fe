"""Run by a real agentlightning: prints its modules with the names that are its own."""

import importlib
import inspect
import json
import os
import pkgutil
import sys
from typing import TypeVar

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
ROOT = "agentlightning"


def own_names(module):
    names = {}
    listed = getattr(module, "__all__", ())
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value) or isinstance(value, TypeVar):
            continue
        home = getattr(value, "__module__", None) or ""
        if home.partition(".")[0] == ROOT:
            names[name] = f"{home}.{getattr(value, '__name__', name)}"
        elif name in listed or (name.isupper() and name != "TYPE_CHECKING" and not callable(value)):
            names[name] = f"{module.__name__}.{name}"
    return dict(sorted(names.items()))


def visit(name, found, missing):
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        missing[name] = f"{type(error).__name__}: {error}"
        return
    found[name] = own_names(module)
    for child in pkgutil.iter_modules(getattr(module, "__path__", ())):
        visit(f"{name}.{child.name}", found, missing)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    modules, missing = {}, {}
    out = os.dup(1)
    os.dup2(2, 1)
    visit(ROOT, modules, missing)
    text = json.dumps({"modules": modules, "missing": sorted(missing)})
    os.write(out, text.encode())
