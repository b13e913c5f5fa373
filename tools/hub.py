"""Runs a hub on this machine with made-up students, measures it and stops it.

    python tools/hub.py --users 15 --chapter xor

All students' servers are started at once; each runs the chapter cell by cell. The report has the
times, the failed cells and the memory of servers and kernels (PSS: shared pages are counted once).
Everything stays on loopback and in a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "deploy" / "jupyterhub_config.py"
PROXY = "configurable-http-proxy"


class HubError(RuntimeError):
    """The hub cannot run here, or a trial failed."""


@dataclass
class Student:
    """The measurements of one student's session: seconds, and cells that ended in an error."""

    name: str
    ready: float = 0.0
    ran: float = 0.0
    cells: int = 0
    slowest: float = 0.0
    failed: list[int] = field(default_factory=list)


def proxy() -> str:
    """The proxy's program.

    Raises:
        HubError: it is not installed.
    """
    program = os.environ.get("BOOK_PROXY") or shutil.which(PROXY)
    if program is None:
        raise HubError(f"the hub's proxy is missing: npm install -g {PROXY}@5.3.0 (or BOOK_PROXY)")
    return program


def free_ports(count: int) -> list[int]:
    """The numbers of different ports that are free at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@contextlib.contextmanager
def hub(folder: Path, users: int) -> Iterator[tuple[str, str]]:
    """Runs a hub; yields its address and token, and stops it and its servers at the end."""
    reading, token = folder / "reading", secrets.token_hex(16)
    subprocess.run([sys.executable, str(ROOT / "_ext" / "plain_notebooks.py"), str(reading)],
                   check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # fmt: skip
    port, hub_port, proxy_port = free_ports(3)
    environment = os.environ | {
        "BOOK_HUB": str(folder), "BOOK_READING": str(reading), "BOOK_USERS": str(users),
        "BOOK_PASSWORD": token, "BOOK_TRIAL_TOKEN": token, "BOOK_PROXY": proxy(),
        "BOOK_PORT": str(port), "BOOK_HUB_PORT": str(hub_port), "BOOK_PROXY_PORT": str(proxy_port),
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    (folder / "homes").mkdir(exist_ok=True)
    log = (folder / "hub.log").open("w")
    command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
    running = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log,
                               start_new_session=True)  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}", token
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.terminate()  # the hub stops its servers and its proxy
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
        log.close()


class Trial:
    """The sessions of made-up students at a hub."""

    def __init__(self, client: Any, address: str, token: str, chapter: str) -> None:
        self.client, self.address, self.chapter = client, address, chapter
        self.headers = {"Authorization": f"token {token}"}
        self.websockets: list[Any] = []  # to kernels

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Sends a request, again while the hub is busy or starting; returns status and JSON."""
        from tornado.httpclient import HTTPClientError, HTTPRequest

        data = None if body is None else json.dumps(body)
        for attempt in range(60):
            request = HTTPRequest(
                self.address + path, method, self.headers, data,
                request_timeout=120, allow_nonstandard_methods=True,
            )  # fmt: skip
            try:
                answer = await self.client.fetch(request)
                return answer.code, json.loads(answer.body or b"null")
            except HTTPClientError as error:
                early = path == "/hub/api/" and error.code == 404  # the proxy without a hub yet
                if not (early or error.code in (429, 502, 503, 504, 599)) or attempt == 59:
                    raise
            except OSError:
                if attempt == 59:
                    raise
            await asyncio.sleep(1)
        raise AssertionError

    async def wait_until_ready(self) -> None:
        await self.send("GET", "/hub/api/")

    async def session(self, name: str, barrier: asyncio.Barrier) -> Student:
        """Starts a student's server, runs the chapter in it, waits for the others."""
        student, start = Student(name), time.monotonic()
        await self.send("POST", f"/hub/api/users/{name}", {})
        await self.send("POST", f"/hub/api/users/{name}/server", {})
        while True:
            _, user = await self.send("GET", f"/hub/api/users/{name}")
            if user["servers"].get("", {}).get("ready"):
                break
            await asyncio.sleep(0.5)
        student.ready = time.monotonic() - start
        path = f"chapters/{self.chapter}.ipynb"
        _, notebook = await self.send("GET", f"/user/{name}/api/contents/{path}")
        await self.run(student, notebook["content"]["cells"], path)
        await barrier.wait()  # all kernels are alive while the memory is measured
        await barrier.wait()
        return student

    async def run(self, student: Student, cells: list[dict], path: str) -> None:
        """Runs the cells in a new kernel and writes the measurements into `student`."""
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        start = time.monotonic()
        body = {"path": path, "name": self.chapter, "type": "notebook",
                "kernel": {"name": "python3"}}  # fmt: skip
        _, session = await self.send("POST", f"/user/{student.name}/api/sessions", body)
        channels = f"/user/{student.name}/api/kernels/{session['kernel']['id']}/channels"
        url = self.address.replace("http", "ws", 1) + channels
        request = HTTPRequest(url, headers=self.headers, request_timeout=120)
        websocket = await websocket_connect(request, max_message_size=50_000_000)
        for number, cell in enumerate(cells):
            tags = cell.get("metadata", {}).get("tags", [])
            if cell["cell_type"] != "code" or "skip-execution" in tags:
                continue
            began = time.monotonic()
            if await execute(websocket, "".join(cell["source"])) != "ok":
                student.failed.append(number)
            student.cells += 1
            student.slowest = max(student.slowest, time.monotonic() - began)
        student.ran = time.monotonic() - start
        self.websockets.append(websocket)  # closed with the hub


async def execute(websocket: Any, code: str) -> str:
    """Runs code through a kernel's websocket; returns the reply's status when it is idle."""
    key = uuid.uuid4().hex
    header = {"msg_id": key, "msg_type": "execute_request", "username": "", "session": key,
              "date": "", "version": "5.3"}  # fmt: skip
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False,
               "user_expressions": {}, "stop_on_error": False}  # fmt: skip
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content,
               "channel": "shell"}  # fmt: skip
    await websocket.write_message(json.dumps(request))
    status, idle = "", False
    while not (status and idle):
        text = await asyncio.wait_for(websocket.read_message(), 300)
        if text is None:
            return "closed"
        if isinstance(text, bytes):
            continue
        message = json.loads(text)
        if message.get("parent_header", {}).get("msg_id") != key:
            continue
        if message["msg_type"] == "execute_reply":
            status = message["content"]["status"]
        if message["msg_type"] == "status":
            idle = idle or message["content"]["execution_state"] == "idle"
    return status


def memory(folder: Path) -> dict[str, list[float]]:
    """The megabytes (PSS) of each process that this hub started, by kind."""
    sizes: dict[str, list[float]] = {"hub": [], "proxy": [], "server": [], "kernel": []}
    hub_variable = f"BOOK_HUB={folder}".encode()
    home_variable = f"HOME={folder}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            if hub_variable not in environment and home_variable not in environment:
                continue
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            rollup = (entry / "smaps_rollup").read_text()
        except (OSError, PermissionError):
            continue
        size = next(int(s.split()[1]) for s in rollup.splitlines() if s.startswith("Pss:")) / 1024
        kinds = {"ipykernel": "kernel", "singleuser": "server", PROXY: "proxy", "jupyterhub": "hub"}
        kind = next((k for word, k in kinds.items() if word in command), None)
        if kind:
            sizes[kind].append(size)
    return sizes


async def trial(address: str, token: str, users: int, chapter: str, folder: Path) -> dict:
    """Runs all sessions at once; returns their measurements and the memory of all kernels."""
    from tornado.httpclient import AsyncHTTPClient

    AsyncHTTPClient.configure(None, max_clients=4 * users + 10)
    students = Trial(AsyncHTTPClient(), address, token, chapter)
    await students.wait_until_ready()
    start = time.monotonic()
    barrier = asyncio.Barrier(users + 1)
    sessions = [asyncio.create_task(students.session(f"student{i}", barrier)) for i in range(users)]
    all_ready = asyncio.create_task(barrier.wait())
    done, _ = await asyncio.wait([all_ready, *sessions], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # a session that ends before the barrier has failed: this raises its error
    wall, megabytes = time.monotonic() - start, memory(folder)
    await barrier.wait()
    return {"students": await asyncio.gather(*sessions), "wall": wall, "memory": megabytes}


def report(results: dict) -> str:
    """The text that is printed about a trial."""
    students: list[Student] = results["students"]
    lines = [
        f"{len(students)} students, {students[0].cells} cells each, {results['wall']:.0f} s in all"
    ]
    for label, values in {
        "server ready": [s.ready for s in students], "chapter run": [s.ran for s in students],
        "slowest cell": [s.slowest for s in students],
    }.items():  # fmt: skip
        median = statistics.median(values)
        lines.append(f"  {label}: {min(values):.1f} to {max(values):.1f} s (median {median:.1f})")
    for kind, sizes in results["memory"].items():
        if sizes:
            lines.append(f"  {kind}: {len(sizes)} × {statistics.mean(sizes):.0f} MB")
    total = sum(sum(sizes) for sizes in results["memory"].values())
    failed = sum(len(s.failed) for s in students)
    lines.append(f"  memory in all: {total / 1000:.1f} GB; cells with errors: {failed}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=15)
    parser.add_argument("--chapter", default="xor", help="the chapter that everybody runs")
    options = parser.parse_args(arguments)
    try:
        proxy()
        with tempfile.TemporaryDirectory(prefix="hub-") as name:
            folder = Path(name).resolve()
            with hub(folder, options.users) as (address, token):
                print(f"the hub is at {address}; it stops by itself", flush=True)
                try:
                    results = asyncio.run(
                        trial(address, token, options.users, options.chapter, folder)
                    )
                except Exception as error:
                    tail = (folder / "hub.log").read_text()[-2000:]
                    raise HubError(f"the trial failed: {error!r}\n{tail}") from error
    except HubError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(report(results))
    return 1 if any(s.failed for s in results["students"]) else 0


if __name__ == "__main__":
    sys.exit(main())
