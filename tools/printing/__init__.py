"""The whole book on paper and as an e-book, made of the built site."""
