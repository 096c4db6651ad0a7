"""Settings from the environment and a `.env` file, called as in django-environ: `env("NAME", default=...)`."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


class Env:
    """Reads variables. The environment takes precedence over the file."""

    def __init__(self, path):
        self._file = dict(self._pairs(Path(path)))

    def __call__(self, name, default=None):
        """Returns the trimmed value of a variable, or the content of the file that `NAME_FILE` names."""
        value = os.environ.get(name, self._file.get(name))
        path = os.environ.get(f"{name}_FILE", self._file.get(f"{name}_FILE"))
        if value is None and path:
            value = Path(path).read_text(encoding="utf-8")
        if value is None:
            value = default
        if value is None:
            raise ImproperlyConfigured(f"{name} is not set, neither in the environment nor in .env.")
        return value.strip()

    def bool(self, name, default=False):
        return self(name, default=str(default)).lower() in ("1", "true", "yes", "on")

    def list(self, name, default=""):
        return [item.strip() for item in self(name, default=default).split(",") if item.strip()]

    @staticmethod
    def _pairs(path):
        if not path.is_file():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and not name.startswith("#"):
                yield name.strip(), value.strip().strip("\"'")
