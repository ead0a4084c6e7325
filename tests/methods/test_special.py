"""SciPy's special functions read by themselves are SciPy's, and what a cold check imports is no more than it needs."""

from __future__ import annotations

import subprocess
import sys
import threading

import scipy.special

from ewarn.methods import special


def _said_by_a_new_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_in_a_new_process_the_functions_are_those_of_scipy_and_the_whole_can_be_had_later() -> None:
    code = (
        "import sys; from ewarn.methods import special\n"
        "first = 'scipy.special' in sys.modules, 'numpy.f2py' in sys.modules\n"
        "import scipy.special, scipy.optimize\n"
        "same = all(getattr(special, name) is getattr(scipy.special, name) for name in special.__all__)\n"
        "print(*first, same, scipy.special.comb(5, 2))"
    )
    assert _said_by_a_new_process(code) == "False False True 10.0"


def test_beside_another_thread_the_whole_is_imported() -> None:
    ended = threading.Event()
    beside = threading.Thread(target=ended.wait)
    beside.start()
    try:
        assert special._alone() is scipy.special
    finally:
        ended.set()
        beside.join()


def test_a_check_imports_no_calendar_no_markdown_and_no_second_way_to_a_frame() -> None:
    unneeded = "{'holidays', 'markdown_it', 'pyarrow', 'scipy.special'}"
    code = f"import sys, ewarn.pipeline.validate; print(*sorted({unneeded} & set(sys.modules)))"
    assert _said_by_a_new_process(code) == ""
