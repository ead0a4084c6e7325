"""SciPy's special functions, read by themselves.

In: nothing. Out: the very functions of `scipy.special`, from the one module in which they are compiled. To import
`scipy.special` as a whole reads half of NumPy besides (its test tools, its Fortran compiler), which takes twice as
long as all of NumPy and answers nothing. Whoever imports `scipy.special` later gets the whole of it, with the same
functions. Where anything stands in the way, the whole is imported.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from pathlib import Path
from types import ModuleType

WHOLE, COMPILED = "scipy.special", "scipy.special._ufuncs"


def _alone() -> ModuleType:
    """The compiled module, its package standing empty while it is read. Only where no other thread could see that."""
    if WHOLE in sys.modules or threading.active_count() > 1:
        return import_module(WHOLE)
    package = ModuleType(WHOLE)
    package.__path__ = [str(Path(folder) / "special") for folder in import_module("scipy").__path__]
    sys.modules[WHOLE] = package
    try:
        return import_module(COMPILED)
    except (ImportError, AttributeError):
        return package
    finally:
        del sys.modules[WHOLE]


def _functions() -> ModuleType:
    found = _alone()
    return found if all(hasattr(found, name) for name in __all__) else import_module(WHOLE)


__all__ = [
    "betainc", "betaln", "expit", "gammainc", "gammaln", "iv", "logit", "ndtr", "ndtri", "psi", "stdtr", "stdtrit",
    "xlogy",
]  # fmt: skip

_found = _functions()
betainc, betaln, gammainc, gammaln = _found.betainc, _found.betaln, _found.gammainc, _found.gammaln
expit, logit, psi, iv, xlogy = _found.expit, _found.logit, _found.psi, _found.iv, _found.xlogy
ndtr, ndtri, stdtr, stdtrit = _found.ndtr, _found.ndtri, _found.stdtr, _found.stdtrit
