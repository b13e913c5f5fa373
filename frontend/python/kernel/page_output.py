"""The output of a cell: streams, results, pictures, and the limit on the text of one cell."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Callable
from typing import Any

TAIL_LENGTH = 2_000  # characters shown from the end if the middle is left out


class _Page:
    """Holds the function that sends messages to the page; `connect` sets it."""

    send: Callable[[dict], None] = staticmethod(lambda message: None)


def connect(send: Callable[[dict], None], limit: int) -> None:
    """Sets the function that sends messages and the number of characters that a cell may show."""
    _Page.send = staticmethod(send)
    budget.limit = budget.left = limit


def post(message: dict) -> None:
    """Sends a message to the page as it is, without the limit on a cell's text."""
    _Page.send(message)


def output(message: dict) -> None:
    """Sends an output of the running cell (an Output widget in the page may capture it)."""
    if (bounded := budget.bounded(message)) is not None:
        post(bounded)


class Budget:
    """The text that one cell may still show: what it prints, its results and its errors together.

    The beginning is shown at once. Of the text printed beyond the limit, the page gets the last
    `TAIL_LENGTH` characters when the cell ends, so neither the page nor the memory fills up.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.begin()

    def begin(self) -> None:
        self.left, self.dropped, self.tail = self.limit, 0, ""

    def bounded(self, message: dict) -> dict | None:
        """The message, shortened to the text that may still be shown; None if nothing is left."""
        message_type = message["type"]
        if message_type == "stream":
            text = self.take(message["text"])
            return {**message, "text": text} if text else None
        if message_type in ("result", "display"):
            return {
                **message,
                "data": {m: self.shortened(m, d) for m, d in message["data"].items()},
            }
        if message_type == "error":
            return {**message, "message": self.shortened("", message["message"]),
                    "traceback": self.shortened("", message["traceback"])}  # fmt: skip
        return message

    def take(self, text: str) -> str:
        """The part of a printed text that is shown at once; the rest is added to the tail."""
        shown = text[: self.left]
        self.left -= len(shown)
        if rest := text[len(shown) :]:
            self.dropped += len(rest)
            self.tail = (self.tail + rest)[-TAIL_LENGTH:]
        return shown

    def shortened(self, mime: str, data: Any) -> Any:
        """One MIME form of a result, shortened. The limit does not apply to pictures.

        Beyond the limit a result still shows its first `TAIL_LENGTH` characters.
        """
        if not isinstance(data, str) or mime.startswith("image/p") or mime.startswith("image/j"):
            return data
        allowed = max(self.left, TAIL_LENGTH)
        self.left = max(self.left - len(data), 0)
        if len(data) <= allowed:
            return data
        return f"{data[:allowed]}\n… ({len(data) - allowed:,} more characters are not shown)"

    def end(self) -> dict | None:
        """The message with the end of the text that was left out; None if all was shown."""
        if not self.dropped:
            return None
        omitted = self.dropped - len(self.tail)
        gap = f"\n… ({omitted:,} characters are left out) …\n" if omitted else ""
        return {"type": "stream", "name": "stdout", "text": gap + self.tail}


budget = Budget(0)  # `connect` sets the limit


def end_of_text() -> None:
    """Shows the end of what was printed beyond the limit, once."""
    if (rest := budget.end()) is not None:
        post(rest)
        budget.dropped, budget.tail = 0, ""


class Stream(io.TextIOBase):
    """stdout or stderr: text is sent to the page line by line, or when the cell ends."""

    def __init__(self, name: str) -> None:
        self.stream, self.waiting, self.length = name, [], 0

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.waiting.append(text)
        self.length += len(text)
        if self.length > 2000 or "\n" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        text, self.waiting, self.length = "".join(self.waiting), [], 0
        if text:
            output({"type": "stream", "name": self.stream, "text": text})


# --- displaying -----------------------------------------------------------------------------------

REPRS = {
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/latex": "_repr_latex_",
    "text/markdown": "_repr_markdown_",
}


def mimebundle(value: Any) -> dict[str, Any]:
    """The value's data by MIME type, as a notebook stores it."""
    if type(value).__module__ == "matplotlib.figure" and hasattr(value, "savefig"):
        return picture(value)
    bundle: dict[str, Any] = {}
    if not isinstance(value, type):
        make_bundle = getattr(value, "_repr_mimebundle_", None)
        if callable(make_bundle) and (result := make_bundle()) is not None:
            bundle = dict(result[0] if isinstance(result, tuple) else result)
        for mime, name in REPRS.items():
            make_data = getattr(value, name, None)
            if mime not in bundle and callable(make_data) and (data := make_data()) is not None:
                data = data[0] if isinstance(data, tuple) else data
                bundle[mime] = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    bundle.setdefault("text/plain", pretty(value))
    return bundle


def pretty(value: Any) -> str:
    """The value as IPython's own printer shows it in a notebook."""
    from IPython.lib.pretty import pretty as ipython_pretty

    return ipython_pretty(value)


def display(*values: Any, display_id: str | None = None, update: bool = False) -> None:
    for value in values:
        data = value if isinstance(value, Raw) else mimebundle(value)
        sys.stdout.flush()
        output({"type": "display", "data": dict(data), "id": display_id, "update": update})


class Raw(dict):
    """A MIME bundle that is shown as it is."""


def clear_output(wait: bool = False) -> None:
    sys.stdout.flush()
    output({"type": "clear", "wait": bool(wait)})


def picture(figure: Any) -> dict[str, str]:
    """A matplotlib figure as a notebook stores it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", dpi=figure.dpi)
    text = f"<Figure size {figure.bbox.width:g}x{figure.bbox.height:g}"
    text += f" with {len(figure.axes)} Axes>"
    return {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": text}
