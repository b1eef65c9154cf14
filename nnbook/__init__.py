"""nnbook: a neural-network textbook that runs.

Each submodule is the code of one chapter and is loaded when first used:
`nnbook.neuron`, `nnbook.activations`, ... The PyTorch twins are in `nnbook.torch`.
"""

__version__ = "0.1.0"

from importlib import import_module as _import_module
from pathlib import Path as _Path

_here = _Path(__file__).parent


def __dir__():
    modules = [p.stem for p in _here.glob("*.py")] + [p.parent.name for p in _here.glob("*/__init__.py")]
    return sorted({m for m in modules if not m.startswith("_")} | {"__version__"})


def __getattr__(name):
    if not name.startswith("_") and ((_here / f"{name}.py").exists() or (_here / name / "__init__.py").exists()):
        try:
            return _import_module(f"nnbook.{name}")
        except ModuleNotFoundError as error:       # help() and inspect pass over an attribute that is not there
            raise AttributeError(f"nnbook.{name} cannot be imported here: {error}") from error
    raise AttributeError(f"module 'nnbook' has no attribute {name!r}; its modules are {', '.join(m for m in __dir__() if m[0] != '_')}")
