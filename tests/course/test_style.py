"""The style of matplotlib's figures: one call sets the site's colours."""

from __future__ import annotations

import builtins

import pytest

import course
from nnlib.live import palette

mpl = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def defaults():
    with mpl.rc_context():
        mpl.use("agg")
        mpl.rcdefaults()
        yield


def test_curves_have_the_books_colours_in_order() -> None:
    import matplotlib.pyplot as plt

    course.style()
    figure, axes = plt.subplots()
    lines = [axes.plot([0, 1], [k, k])[0].get_color() for k in range(4)]
    assert lines == [palette.colors()[f"series{k}"] for k in range(4)]
    assert not axes.spines["top"].get_visible() and axes.spines["left"].get_visible()
    plt.close(figure)


def test_the_same_figure_is_the_same_file_every_time(tmp_path) -> None:
    import matplotlib.pyplot as plt

    course.style()
    files = []
    for k in range(2):
        figure, axes = plt.subplots()
        axes.plot([0, 1], [0, 1], label="a")
        axes.legend()
        figure.savefig(tmp_path / f"{k}.svg", metadata={"Date": None})
        plt.close(figure)
        files.append((tmp_path / f"{k}.svg").read_bytes())
    assert files[0] == files[1]


def test_a_second_call_changes_nothing_more() -> None:
    course.style()
    after_first = dict(mpl.rcParams)
    course.style()
    assert dict(mpl.rcParams) == after_first


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest, **more):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ModuleNotFoundError, match=r"pip install"):
        course.style()
