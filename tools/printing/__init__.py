"""The whole book on paper and as an e-book, made from the built site."""
