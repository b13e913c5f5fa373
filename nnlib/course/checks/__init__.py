"""The exercises of each chapter: a module a chapter, EXERCISES in the order of the page."""
