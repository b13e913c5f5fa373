"""Firefox and WebKit, driven by their own protocols: open a page, run a function in it, press keys.

Firefox itself supports WebDriver BiDi.  WebKit has a driver program, which supports WebDriver over
HTTP, and needs a display: if there is none, Xvfb provides one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_SECONDS = 60  # for a browser to start on a busy machine
MIDDLE = """(selector) => {
  const node = document.querySelector(selector);
  node.scrollIntoView({ block: "center", behavior: "instant" });
  const box = node.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""
KEYS = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}


class BrowserError(RuntimeError):
    """The browser responded with an error, or did not start."""


def keystroke(key: str) -> list[dict[str, Any]]:
    """The actions of pressing and releasing a key, the same in both protocols."""
    value = KEYS.get(key, key)
    actions = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
    return [{"type": "key", "id": "keyboard", "actions": actions}]


def click_at(x: float, y: float) -> list[dict[str, Any]]:
    """The actions of a click at a point of the window, the same in both protocols."""
    moved = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
    pressed = [{"type": action, "button": 0} for action in ("pointerDown", "pointerUp")]
    return [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
             "actions": [moved, *pressed]}]  # fmt: skip


class Engine:
    """A browser with one open page.  `evaluate` works like playwright's."""

    def open(self, url: str) -> None:
        raise NotImplementedError

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Performs actions of the keyboard and the pointer."""
        raise NotImplementedError

    def press(self, key: str) -> None:
        self.act(keystroke(key))

    def click(self, selector: str) -> None:
        """Scrolls to an element and clicks in its middle."""
        self.act(click_at(*self.evaluate(MIDDLE, selector)))

    def close(self) -> None:
        raise NotImplementedError

    def call(self, function: str, argument: str) -> str:
        """Runs a JavaScript function on a string in the page; its (awaited) result is a string."""
        raise NotImplementedError

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Evaluates a JavaScript function or expression in the page; returns the result as data."""
        wrapped = f"""async (text) => {{
          const parsed = JSON.parse(text), evaluated = ({script});
          const value = await (typeof evaluated === "function" ? evaluated(parsed) : evaluated);
          return JSON.stringify(value === undefined ? null : value);
        }}"""
        return json.loads(self.call(wrapped, json.dumps(argument)))

    def until(self, script: str, seconds: float = 60) -> None:
        """Waits until the expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(script):
            assert time.monotonic() < end, f"still false after {seconds:g} s: {script}"
            time.sleep(0.02)


class Firefox(Engine):
    """Firefox without a window, over WebDriver BiDi."""

    def __init__(self, program: str) -> None:
        self.folder = TemporaryDirectory(prefix="firefox-")
        # Only this machine can be reached: all other requests go to a proxy that does not exist.
        proxy = {"type": 1, "http": "127.0.0.1", "ssl": "127.0.0.1"}
        prefs = {f"network.proxy.{key}": value for key, value in proxy.items()}
        prefs |= {"network.proxy.http_port": 9, "network.proxy.ssl_port": 9}
        prefs |= {"ui.prefersReducedMotion": 1, "remote.active-protocols": 1}
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in prefs.items()]
        (Path(self.folder.name) / "user.js").write_text("\n".join(lines), "utf8")
        self.process = subprocess.Popen(
            [program, "--headless", "--remote-debugging-port=0", "--profile", self.folder.name],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.count = 0
        self.resources = ExitStack()
        self.socket: ClientConnection = self.resources.enter_context(
            connect(f"{self._address()}/session", max_size=None, compression=None)
        )
        self.send("session.new", {"capabilities": {}})
        self.context = self.send("browsingContext.getTree", {})["contexts"][0]["context"]
        size = {"width": 1360, "height": 900}
        self.send("browsingContext.setViewport", {"context": self.context, "viewport": size})

    def _address(self) -> str:
        assert self.process.stderr
        for line in self.process.stderr:
            if match := re.search(r"ws://127\.0\.0\.1:\d+", line):
                return match[0]
        raise BrowserError("Firefox ended before a connection to it was made")

    def send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            response = json.loads(self.socket.recv(timeout=600))
            if response.get("id") != self.count:
                continue  # an event
            if response["type"] == "error":
                raise BrowserError(f"{method}: {response['message']}")
            return response["result"]

    def open(self, url: str) -> None:
        self.send("browsingContext.navigate",
                  {"context": self.context, "url": url, "wait": "complete"})  # fmt: skip

    def act(self, actions: list[dict[str, Any]]) -> None:
        self.send("input.performActions", {"context": self.context, "actions": actions})

    def call(self, function: str, argument: str) -> str:
        params = {
            "functionDeclaration": function, "arguments": [{"type": "string", "value": argument}],
            "target": {"context": self.context}, "awaitPromise": True,
        }  # fmt: skip
        response = self.send("script.callFunction", params)
        if response["type"] == "exception":
            raise BrowserError(response["exceptionDetails"]["text"])
        return response["result"]["value"]

    def close(self) -> None:
        self.resources.close()
        self.process.terminate()
        self.process.wait(START_SECONDS)
        assert self.process.stderr
        self.process.stderr.close()
        self.folder.cleanup()


class WebKit(Engine):
    """WebKitGTK's MiniBrowser, controlled through its driver."""

    def __init__(self, driver: str, browser: str) -> None:
        self.started: list[subprocess.Popen] = []
        settings = {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        if os.geteuid() == 0:  # its sandbox does not start as root
            settings["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
        environment = {**os.environ, **settings}
        if "DISPLAY" not in environment:
            environment["DISPLAY"] = self._display()
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.started.append(
            subprocess.Popen([driver, f"--port={port}"], env=environment, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        )  # fmt: skip
        options = {"binary": browser, "args": ["--automation"]}
        capabilities = {"webkitgtk:browserOptions": options, "timeouts": {"script": 600_000}}
        body = {"capabilities": {"alwaysMatch": capabilities}}
        created = self._request("POST", "/session", body, retry_seconds=START_SECONDS)
        self.session = created["sessionId"]
        self.send("POST", "/window/rect", {"width": 1360, "height": 900})

    def _display(self) -> str:
        xvfb = shutil.which("Xvfb")
        if xvfb is None:
            raise BrowserError("WebKit needs a display, and Xvfb, which makes one, is missing")
        reading, writing = os.pipe()
        self.started.append(
            subprocess.Popen([xvfb, "-displayfd", str(writing), "-screen", "0", "1400x1000x24"],
                             pass_fds=[writing], stderr=subprocess.DEVNULL)
        )  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as pipe:
            return f":{pipe.readline().strip()}"

    def _request(self, method: str, path: str, body: Any = None, retry_seconds: float = 0) -> Any:
        end = time.monotonic() + retry_seconds
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        while True:
            try:
                with urllib.request.urlopen(request, timeout=600) as response:
                    return json.load(response)["value"]
            except urllib.error.HTTPError as error:
                raise BrowserError(error.read().decode()) from None
            except urllib.error.URLError:  # the driver does not listen yet
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return self._request(method, f"/session/{self.session}{path}", body)

    def open(self, url: str) -> None:
        self.send("POST", "/url", {"url": url})

    def act(self, actions: list[dict[str, Any]]) -> None:
        self.send("POST", "/actions", {"actions": actions})

    def call(self, function: str, argument: str) -> str:
        script = f"""const [text, done] = arguments;
          ({function})(text).then((value) => done({{ value }}),
            (error) => done({{ error: String(error) }}));"""
        response = self.send("POST", "/execute/async", {"script": script, "args": [argument]})
        if "error" in response:
            raise BrowserError(response["error"])
        return response["value"]

    def close(self) -> None:
        try:
            self._request("DELETE", f"/session/{self.session}")
        finally:
            for process in reversed(self.started):
                process.terminate()
                process.wait(START_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
