"""Plays the Django side of La Suite Docs for the tests, on a port of the system's choice.

It answers the questions of y-provider and nginx about documents and users, and makes the calls of La Suite's own
services, with `requests` and the same headers. Tests steer it over HTTP: `POST /play/<call>` makes a call and answers
with what was sent and what came back, `POST /rights/` sets the rights of users, `GET /asked/` lists the questions.
"""

import json
import sys
from base64 import b64decode, b64encode
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests

SECRET, API_KEY = sys.argv[1:]
DOCUMENTS = "/api/v1.0/documents/"

# Document → the user's id, or "" for anybody → "edit" or "read".
rights = {}
asked = []


def convert(api, content, content_type, accept, key=f"Bearer {API_KEY}"):
    """3.4 to 5.7: documents from markdown or imported files, and the content of a document for other services."""
    headers = {"Authorization": key, "Content-Type": content_type, "Accept": accept}
    return requests.post(f"{api}/api/convert/", data=b64decode(content), headers=headers, timeout=30, verify=False)


def convert_markdown(api, content, key=API_KEY):
    """1.10 to 3.3: documents from markdown."""
    url, headers = f"{api}/api/convert-markdown/", {"Authorization": key, "Content-Type": "application/json"}
    return requests.post(url, json={"content": content}, headers=headers, timeout=30, verify=False)


def reset_connections(api, room, user_id=None, secret=SECRET):
    """1.9 to 5.7: after a right has changed; 5.4.1 and later make one call for each child document too."""
    headers = {"Authorization": secret}
    if user_id:
        headers["X-User-Id"] = user_id
    return requests.post(f"{api}/collaboration/api/reset-connections/?room={room}", headers=headers, timeout=10)


def get_connections(api, room, session_key, secret=SECRET):
    """3.4 to 5.7: before somebody without a WebSocket may save."""
    url, params = f"{api}/collaboration/api/get-connections/", {"room": room, "sessionKey": session_key}
    return requests.get(url, headers={"Authorization": secret}, params=params, timeout=10)


CALLS = {call.__name__: call for call in (convert, convert_markdown, reset_connections, get_connections)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/asked/":
            return self.answer(200, asked)
        asked.append({"path": self.path, "headers": {name.lower(): value for name, value in self.headers.items()}})
        if path == "/api/v1.0/users/me/":
            return self.answer(200, {"id": self.user}) if self.user else self.unauthenticated()
        if path == f"{DOCUMENTS}collaboration-auth/":
            return self.collaboration_auth()
        return self.document(path.removeprefix(DOCUMENTS).strip("/"))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/rights/":
            rights.update(body)
            return self.answer(200, {})
        response = CALLS[self.path.removeprefix("/play/")](**body)
        sent = {name.lower(): as_text(value) for name, value in response.request.headers.items()}
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = b64encode(response.content).decode()
        return self.answer(200, {"sent": sent, "status": response.status_code, "headers": headers, "body": body})

    def document(self, name):
        """3.0 and later: y-provider asks with the cookie of the browser."""
        if name not in rights:
            return self.answer(404, {"detail": "No Document matches the given query."})
        right = self.right(name)
        if right is None:
            return self.forbidden() if self.user else self.unauthenticated()
        return self.answer(200, {"id": name, "abilities": {"retrieve": True, "update": right == "edit"}})

    def collaboration_auth(self):
        """1.9 to 2.6: nginx asks, and takes the headers of the answer."""
        name = parse_qs(urlsplit(self.headers.get("X-Original-URL", "")).query).get("room", [""])[0]
        right = self.right(name)
        if right is None:
            return self.forbidden()
        headers = {"Authorization": SECRET, "X-Can-Edit": str(right == "edit")}
        if self.user:
            headers["X-User-Id"] = self.user
        return self.answer(200, "authorized", headers)

    def right(self, name):
        of_document = rights.get(name, {})
        return of_document.get(self.user) or of_document.get("")

    @property
    def user(self):
        """A session belongs to the user whose id it begins with."""
        session = SimpleCookie(self.headers.get("Cookie", "")).get("docs_sessionid")
        return session.value.split("-")[0] if session else ""

    def unauthenticated(self):
        return self.answer(401, {"detail": "Authentication credentials were not provided."})

    def forbidden(self):
        return self.answer(403, {"detail": "You do not have permission to perform this action."})

    def answer(self, status, body, headers=None):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *parts):
        pass


def as_text(value):
    return value.decode() if isinstance(value, bytes) else value


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"La Suite listens on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
