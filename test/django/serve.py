"""Serves a Django project (the working directory) on a port of the system's choice, and prints its address once it listens."""

import os
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), StaticFilesHandler(get_wsgi_application()), Server)
print(f"Django listens on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
