"""Contains IPython's own `pretty`, which the build adds."""
