"""A search finds the chapter that a term belongs to: the chapter names it as the field does."""

from __future__ import annotations

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
    text = (ROOT / "chapters" / f"{chapter}.ipynb").read_text("utf8").replace("\\n\",\n    \"", " ")
    assert term.lower() in text.lower()
