"""nnlib's own tests, run in the pages' CPython (32 bits, int32 by default, NumPy 2.0)."""

from __future__ import annotations

import http.server
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import book_run
import fetch_python
import pytest
from playwright.sync_api import TimeoutError

from tests.book.harness import ROOT
from tools.browser import Server, launched

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.reads()]

PRINTED = "NumPy prints dtype=int64 where that is not its default"
# The suites below are a selection.  test_public_api.py cannot be in it, because it reads the
# signatures of PyTorch's functions, and handles have none.  Tests of the selected files that cannot
# run in a browser, and why:
LEFT_OUT = {
    "tests/nnlib/test_derivatives.py::test_gradients_are_added_to_the_tensor_in_grad": (
        "it checks whether two PyTorch objects are the same, which handles cannot show"
    ),
    "tests/nnlib/test_data.py::test_examples_are_batched_as_pytorch_batches_them[named]": (
        "the class of its named tuples cannot be sent"
    ),
    "tests/nnlib/test_init.py::test_clipping_values_agrees_with_pytorch_and_a_norm_of_nan": (
        "it keeps arrays that PyTorch changes later; in a browser they are copies"
    ),
    "tests/nnlib/test_programs.py::test_a_program_gives_the_same_results_with_either_library[saved and loaded]": (  # noqa: E501
        "what PyTorch writes into a buffer stays in the buffer's copy"
    ),
    "nnlib/live/controls.py::nnlib.live.controls.stepper": PRINTED,
    "nnlib/live/controls.py::nnlib.live.controls.text": PRINTED,
    "tests/graph/test_benchmarks.py": "it runs other libraries, which are missing in a browser",
    **{
        f"tests/graph/test_source.py::test_the_source_of_a_primitive_gives_its_result[{op}": (
            "the source calls NumPy directly, whose indices are int32 there"
        )
        for op in ("argmax", "argmin", "argsort", "max_pool2d_indices")
    },
}
MINUTES = 8  # on a busy machine
SUITES = {
    "functions": [
        f"tests/nnlib/test_{name}.py"
        for name in ("against_torch", "functions", "autograd", "derivatives", "inplace", "window")
    ],
    "networks": [
        f"tests/nnlib/test_{name}.py"
        for name in ("nn", "modules", "init", "recurrent", "data", "datasets", "serialization")
    ],
    "training": [
        f"tests/nnlib/test_{name}.py" for name in ("optim", "lr_scheduler", "programs", "printing")
    ],
    "graphs and docstrings": [
        "tests/graph", "--doctest-modules", "nnlib",
        # fused loops need numba, which has no build for WebAssembly; threads, other programs
        # and the docs folder are missing there too
        *(f"--ignore=tests/graph/test_{name}.py"
          for name in ("compile", "corners_of_compiled", "lowering", "matmuls", "shortcuts",
                       "a_new_primitive")),
        *(f"--ignore=nnlib/graph/lower/{name}.py" for name in ("machine", "floats", "loops")),
    ],
}  # fmt: skip

WORKER = """
onmessage = async ({ data: { names, suite } }) => {
  const lines = [];
  const print = line => { lines.push(line); postMessage({ line }); };
  try {
    const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", location.origin));
    const pyodide = await loadPyodide({
      indexURL: location.origin + "/pyodide/", packages: names,
      env: { REMOTE_TORCH: location.origin + "/torch", NNLIB_PROGRESS: "off", HOME: "/home/pyodide",
             MPLBACKEND: "agg", SUITE: JSON.stringify(suite) },
      stdout: print, stderr: print,
    });
    const archive = await (await fetch(location.origin + "/tests.zip")).arrayBuffer();
    pyodide.unpackArchive(archive, "zip", { extractDir: "/work" });
    const result = pyodide.runPython(`
import json, os, sys
os.chdir("/work")
sys.path[:0] = ["/work", "/work/tests/python/browser", "/work/packages"]
import numpy as np
import pytest

class Tally:
    passed, skipped, failed = 0, {}, []
    def pytest_collection_modifyitems(self, items):
        from hypothesis import settings
        for item in items:
            function = getattr(item, "obj", None)
            if hasattr(function, "hypothesis"):
                own = getattr(function, "_hypothesis_internal_use_settings", None)
                function._hypothesis_internal_use_settings = settings(
                    own, max_examples=4, deadline=None, database=None)
    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append([report.nodeid, str(report.longrepr)[-1500:]])
        elif report.skipped:
            self.skipped[report.nodeid] = str(report.longrepr)[-300:]
        elif report.when == "call":
            self.passed += 1
    def pytest_collectreport(self, report):
        if report.failed:
            self.failed.append([report.nodeid, str(report.longrepr)[-1500:]])

tally = Tally()
suite = json.loads(os.environ["SUITE"])
code = pytest.main(["-v", "-p", "no:cacheprovider", *suite], [tally])
json.dumps({"code": int(code), "passed": tally.passed, "skipped": tally.skipped,
            "failed": tally.failed, "numpy": np.__version__, "python": sys.version,
            "int": str(np.array([1]).dtype), "platform": sys.platform})
`);
    postMessage({ ...JSON.parse(result), output: lines.join("\\n") });
  } catch (error) {
    postMessage({ broken: `${error}\\n${lines.slice(-8).join("\\n")}` });
  }
};
"""


def archive() -> bytes:
    """A zip file of what the tests need besides Pyodide: nnlib, its tests, pytest."""
    lock = fetch_python.read_lock()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive_file:
        page = book_run.members(book_run.book_archive(lock), ("nnlib/*",))
        for path in fetch_python.wheels(lock["test"]).values():
            page |= book_run.members(path.read_bytes())
        for name, data in page.items():
            archive_file.writestr(f"packages/{name}", data)
        for folder in ("nnlib", "tests", "tools", "benchmarks"):
            for path in (ROOT / folder).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    archive_file.write(path, path.relative_to(ROOT).as_posix())
        archive_file.writestr(
            "pytest.ini",
            "[pytest]\nminversion = 8\nmarkers =\n  slow\n  browser\n"
            "addopts = --import-mode=importlib\n"
            "filterwarnings =\n  ignore::RuntimeWarning:nnlib\n",
        )
    return buffer.getvalue()


def files() -> dict[str, Path]:
    lock = fetch_python.read_lock()
    paths = dict(fetch_python.core(lock))
    for path in fetch_python.packages(lock, lock["pyodide"]["packages"]).values():
        paths[path.name] = path
    return paths


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server with Pyodide and the tests, which also answers calls of PyTorch."""
    from tests.python.remote_torch import TorchServer

    try:
        served, tests = files(), archive()
    except fetch_python.FetchError as error:
        pytest.skip(f"the page's Python could not be fetched: {error}")
    torch = TorchServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        # One connection for thousands of requests; each is answered at once, in one packet.
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def reply(self, data: bytes, content_type: str = "application/octet-stream") -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            name = self.path.split("/")[-1]
            if self.path == "/tests.zip":
                self.reply(tests)
            elif self.path == "/worker.js":
                self.reply(WORKER.encode(), "text/javascript")
            elif name in served:
                content_types = {".mjs": "text/javascript", ".js": "text/javascript",
                         ".wasm": "application/wasm"}  # fmt: skip
                self.reply(
                    served[name].read_bytes(), content_types.get(served[name].suffix, "text/plain")
                )
            else:
                self.reply(b"<!doctype html><title>tests</title>", "text/html")

        def do_POST(self) -> None:
            self.reply(torch.answer(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with Server(Handler) as server:
        yield f"{server.origin}/"


def run_in_browser(address: str, suite: list[str]) -> dict[str, Any]:
    with launched() as browser:
        page = browser.new_page()
        page.goto(address)
        page.evaluate("""([names, suite]) => {
          const worker = new Worker("worker.js", { type: "module" });
          worker.onmessage = ({ data }) => {
            if ("platform" in data || "broken" in data) window.result = data;
            else window.last = data.line;
          };
          worker.onerror = error => { window.result = { broken: error.message }; };
          worker.postMessage({ names, suite });
        }""", [["numpy", "matplotlib"], suite])  # fmt: skip
        try:
            page.wait_for_function("window.result", timeout=MINUTES * 60_000)
        except TimeoutError:
            pytest.fail(f"not done after {MINUTES} minutes; last: {page.evaluate('window.last')}")
        result = page.evaluate("window.result")
    assert "broken" not in result, result["broken"]
    return result


@pytest.mark.parametrize("name", SUITES)
def test_nnlibs_tests_pass_in_the_browsers_python(address: str, name: str) -> None:
    left_out = [f"--{'ignore' if test.endswith('.py') else 'deselect'}={test}" for test in LEFT_OUT]
    result = run_in_browser(address, [*SUITES[name], *left_out])
    print(json.dumps({k: v for k, v in result.items() if k not in ("output", "failed")}, indent=1))
    assert result["platform"] == "emscripten" and result["int"] == "int32"
    python = fetch_python.read_lock()["pyodide"]["python"]
    assert result["numpy"].startswith("2.0.") and result["python"].startswith(f"{python}.")
    print("\n\n".join(f"{test}\n{why}" for test, why in result["failed"]))
    short = [f"{test}: {brief(why)}" for test, why in result["failed"]]
    assert not short, f"{len(short)} failed, {result['passed']} passed\n" + "\n".join(short)
    assert result["code"] == 0, result["output"][-3000:]
    assert result["passed"] > LEAST_PASSED[name]
    share = len(result["skipped"]) / result["passed"]
    assert share < SHARE_SKIPPED.get(name, 0.05), result["skipped"]


def brief(why: str) -> str:
    """The line of a report that names the error."""
    lines = [line for line in why.splitlines() if "Error" in line and "Traceback" not in line]
    return (lines or why.splitlines() or [""])[-1].strip()[:160]


LEAST_PASSED = {"functions": 600, "networks": 250, "training": 120, "graphs and docstrings": 900}
# Subclasses of PyTorch's classes and tests of optimizers' own state are skipped there.
SHARE_SKIPPED = {"training": 0.16}
