import os
import subprocess
import sys
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from config.env import Env

PROJECT = Path(__file__).resolve().parents[2]


class EnvFile(SimpleTestCase):
    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ".env"
            path.write_text(text)
            return Env(path)

    def test_the_file(self):
        env = self.read("# A comment=1\nA=one\nexport B = \"two words\"\nC=x=y\nON=true\nMANY=a, b,\n")
        self.assertEqual((env("A"), env("B"), env("C")), ("one", "two words", "x=y"))
        self.assertTrue(env.bool("ON"))
        self.assertEqual(env.list("MANY"), ["a", "b"])
        self.assertEqual(env("NOT_THERE", default="default"), "default")
        with self.assertRaisesMessage(ImproperlyConfigured, "NOT_THERE is not set"):
            env("NOT_THERE")

    def test_a_secret_in_a_separate_file(self):
        with tempfile.NamedTemporaryFile("w+") as secret:
            secret.write("from-a-file\n")
            secret.flush()
            self.assertEqual(self.read(f"SECRET_FILE={secret.name}")("SECRET", default="default"), "from-a-file")

    def test_the_environment_takes_precedence(self):
        self.assertEqual(self.read("PATH=/nowhere")("PATH"), os.environ["PATH"].strip())


class SharedSecret(SimpleTestCase):
    def start(self, **environment):
        clean = {"PATH": os.environ["PATH"], "DJANGO_SECRET_KEY": "x"}
        return subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=PROJECT,
            env={**clean, **environment},
            capture_output=True,
            text=True,
        )

    def test_weak_secrets_are_for_development_only(self):
        for secret in ("my-secret", "fifteen-letters"):
            self.assertIn("openssl rand", self.start(DJANGO_DEBUG="false", COLLABORATION_SERVER_SECRET=secret).stderr)
            self.assertEqual(self.start(DJANGO_DEBUG="true", COLLABORATION_SERVER_SECRET=secret).returncode, 0)
        self.assertEqual(self.start(DJANGO_DEBUG="false", COLLABORATION_SERVER_SECRET="sixteen--letters").returncode, 0)
