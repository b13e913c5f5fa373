"""Figures of single chapters: their layout, which cells need not spell out."""
