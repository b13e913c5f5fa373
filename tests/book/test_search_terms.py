"""A search for a term finds its chapter, because the chapter uses the term."""

from __future__ import annotations

import json

import pytest

from tests.book.harness import ROOT

TERMS = {
    "logistic-regression": ["maximum likelihood", "odds ratio", "linearly separable"],
    "gradient-ascent": ["learning rate", "momentum", "Adam", "mini-batch", "eigenvalue"],
    "layers": ["activation function", "overfitting", "test set", "universal approximation"],
    "backprop": ["backpropagation", "chain rule", "saturat", "dead"],
    "autodiff": ["automatic differentiation", "Jacobian", "forward mode", "gradient checking"],
    "mlp": ["softmax", "cross-entropy", "overfitting", "weight decay", "dropout", "early stopping"],
    "deep": ["initialisation", "vanishing gradient", "residual connection", "normalisation"],
    "cnn": ["convolution", "receptive field", "pooling", "padding", "stride", "transfer"],
    "rnn": ["backpropagation through time", "vanishing gradient", "LSTM", "GRU", "perplexity"],
    "attention": ["self-attention", "positional encoding", "query", "residual connection"],
}


@pytest.mark.parametrize(
    ("chapter", "term"), [(chapter, term) for chapter, terms in TERMS.items() for term in terms]
)
def test_a_chapter_names_its_terms(chapter: str, term: str) -> None:
    cells = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text("utf8"))["cells"]
    prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert term.lower() in " ".join(" ".join(prose).split()).lower()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("words", "chapter"),
    [("overfitting", "mlp"), ("learning rate", "gradient-ascent"), ("vanishing gradient", "deep")],
)
def test_the_sites_search_finds_the_chapter(visit, words: str, chapter: str) -> None:
    page = visit(f"search.html?q={words.replace(' ', '+')}").page
    page.wait_for_function("document.querySelector('main').innerText.includes('Search finished')")
    paths = page.locator("#search-results li > a").evaluate_all("all => all.map((a) => a.pathname)")
    assert f"chapters/{chapter}.html" in " ".join(paths[:8])
