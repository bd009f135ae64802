"""Headless Chromium, driven over its DevTools pipe: JSON messages that end in a zero byte, on descriptors 3 and 4."""

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")
_PATIENCE = 60  # seconds for an answer


class Chromium:
    """One tab. Use as a context manager."""

    def __init__(self, folder: Path):
        (theirs_in, self._out), (self._in, theirs_out) = os.pipe(), os.pipe()
        command = [PROGRAM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        shell = ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *command]
        self._process = subprocess.Popen(shell, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self._buffer, self._events, self._count, self._session = b"", [], 0, None
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **params) -> dict:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        reply = self._until(lambda received: received.get("id") == self._count)
        assert "error" not in reply, reply
        return reply["result"]

    def wait_for(self, method: str, **params) -> dict:
        """The next event of that kind with these parameters."""

        def fits(message: dict) -> bool:
            return message.get("method") == method and params.items() <= message["params"].items()

        kept = [event for event in self._events if fits(event)]
        self._events = []
        return kept[0] if kept else self._until(fits)

    def open(self, url: str) -> None:
        loader = self.call("Page.navigate", url=url)["loaderId"]  # the first blank page is loaded at some time, too
        self.wait_for("Page.lifecycleEvent", name="load", loaderId=loader)

    def press(self, keys: str) -> None:
        for key in keys:
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def run(self, script: str):
        """The value of a script; a promise is waited for."""
        reply = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    def run_until(self, script: str, expected) -> bool:
        """Whether a script gives a value, at once or when the page has found what it keeps."""
        deadline = time.monotonic() + _PATIENCE
        while (found := self.run(script)) != expected and time.monotonic() < deadline:
            pass
        return found == expected

    def _until(self, fits) -> dict:
        deadline = time.monotonic() + _PATIENCE
        while True:
            while b"\0" in self._buffer:
                raw, _, self._buffer = self._buffer.partition(b"\0")
                message = json.loads(raw)
                if fits(message):
                    return message
                self._events.append(message)
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            received = os.read(self._in, 1 << 16) if ready else b""
            assert received, "Chromium gave no answer"
            self._buffer += received
