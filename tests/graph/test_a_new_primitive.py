"""The primitive that docs/primitives.md adds works in everything that is made from its entry."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Runs after the page's code in a new process, because that code changes nnlib's registry.
CHECKS = r"""
from nnlib.graph import Graph, trace

x = nnlib.tensor([0.5, 1.0, 1.5], dtype=nnlib.float64, requires_grad=True)
assert nnlib.autograd.gradcheck(deg2rad, x) and nnlib.autograd.gradgradcheck(deg2rad, x)
assert np.allclose(deg2rad(nnlib.tensor([90, 180])).numpy(), [np.pi / 2, np.pi])

graph = trace(lambda x: {"y": (2 * deg2rad(x)).sum()}, x=x.detach())
with_gradient = graph.gradient("y", "x")
formula = graph.to_latex("y")
assert r"\frac{\pi}{180} x" in formula, formula

source = with_gradient.to_source()
assert "np.deg2rad(" in source, source
names = {}
exec(source, names)
array = x.detach().numpy()
expected = np.full(3, 2 * np.pi / 180)
assert np.allclose(names["f"](x=array)["d_x"], expected)

again = Graph.from_json(with_gradient.to_json())
assert np.allclose(np.asarray(again.run(x=array)["d_x"]), expected)

from nnlib.graph.lower.arrays import Arrays
doubled = trace(lambda x: deg2rad(x) * 2, x=array).tidied()
lowered = Arrays(doubled, [0], list(doubled.outputs.values()))
assert np.allclose(lowered.run(array)[0], 2 * np.deg2rad(array))
assert "deg2rad(" in lowered.source, lowered.source  # NumPy writes into a buffer

sys.path.insert(0, "ROOT")
from tests.graph import cases
assert any(name == "deg2rad" for name, _, _ in cases.CASES), "no test case follows from the entry"
import tools.schema_table as table
assert "deg2rad" in table.rows()
"""


def test_a_primitive_added_as_in_the_documentation_works_everywhere():
    page = (ROOT / "docs" / "primitives.md").read_text("utf8")
    examples = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(examples) == 2
    program = "import sys\n" + "\n".join(examples) + CHECKS.replace('"ROOT"', repr(str(ROOT)))
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_table_in_the_documentation_of_the_format_is_up_to_date():
    command = [sys.executable, str(ROOT / "tools" / "schema_table.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
