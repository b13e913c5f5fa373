"""Tools for every chapter: checks, exercises, numbers in prose, progress, counts, plot style."""
