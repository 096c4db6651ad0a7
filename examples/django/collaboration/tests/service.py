"""The real y-provider for the tests, started from this repository on a free port."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from unittest import SkipTest

ROOT = Path(__file__).resolve().parents[4]
SECRET = "a-secret-of-the-tests"
API_KEY = "an-api-key-of-the-tests"


class Service:
    def __enter__(self):
        if not (ROOT / "src" / "server.ts").exists() or shutil.which("node") is None:
            raise SkipTest("y-provider is not beside this project.")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._data = tempfile.TemporaryDirectory()
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            ["node", "--import", "tsx", "src/server.ts"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PORT": str(port),
                "COLLABORATION_SERVER_SECRET": SECRET,
                "Y_PROVIDER_API_KEY": API_KEY,
                "DATA_DIR": self._data.name,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = ""
        for line in self._process.stdout:
            said += line
            if "listening" in line.lower():
                return self
        raise AssertionError(f"y-provider did not start:\n{said}")

    def __exit__(self, *failure):
        self._process.terminate()
        self._process.communicate()
        self._data.cleanup()
