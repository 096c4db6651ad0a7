import os
import tempfile
import threading
import time
import traceback
from pathlib import Path
from unittest import mock
from uuid import uuid4

import jwt
from django.test import SimpleTestCase

from collaboration.client import Connections, Forbidden, Rejected, Unavailable, YProvider, YProviderError
from collaboration.tests.recorder import Recorder

OK = (200, {"message": "Connections reset"}, {})
FORBIDDEN = (403, {"error": "Forbidden: Invalid API Key"}, {})
BUSY = (503, {"error": "Too many conversions are waiting."}, {"Retry-After": "0"})


def client_of(server, **options):
    return YProvider(server.url + "/", "the-secret", **options)


class Calls(SimpleTestCase):
    def test_the_secret_is_sent_raw(self):
        with Recorder() as server:
            client_of(server).reset_connections("room")
        self.assertEqual(server.requests[0][2]["Authorization"], "the-secret")

    def test_netrc_and_proxy_variables_are_ignored(self):
        with Recorder() as server, tempfile.TemporaryDirectory() as home:
            netrc = Path(home) / "netrc"
            netrc.write_text("machine 127.0.0.1 login a password b\n")
            netrc.chmod(0o600)
            surroundings = {"NETRC": str(netrc), "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
            with mock.patch.dict(os.environ, surroundings):
                client_of(server).reset_connections("room")
        self.assertEqual(server.requests[0][2]["Authorization"], "the-secret")

    def test_a_wrong_secret_names_the_settings_to_check(self):
        with Recorder(FORBIDDEN) as server, self.assertRaises(Forbidden) as refusal:
            client_of(server).markdown_to_yjs("# a")
        self.assertEqual(refusal.exception.status, 403)
        self.assertIn("Forbidden: Invalid API Key", str(refusal.exception))
        self.assertIn("COLLABORATION_SERVER_SECRET is the same", str(refusal.exception))
        self.assertIn('without "Bearer"', str(refusal.exception))
        self.assertNotIn("the-secret", str(refusal.exception))
        self.assertEqual(len(server.requests), 1, "a refusal is not tried again")

    def test_another_403_does_not_blame_the_secret(self):
        with Recorder((403, {"error": "CORS policy violation: Invalid Origin"}, {})) as server:
            with self.assertRaises(Rejected):
                client_of(server).reset_connections("room")

    def test_a_busy_server_is_retried(self):
        with Recorder(BUSY, BUSY, OK) as server:
            client_of(server).reset_connections("room")
        self.assertEqual(len(server.requests), 3)

    def test_retries_are_limited(self):
        with Recorder(BUSY) as server, self.assertRaises(Unavailable) as failure:
            client_of(server, attempts=2).reset_connections("room")
        self.assertEqual((failure.exception.status, len(server.requests)), (503, 2))

    def test_a_server_error_is_not_retried(self):
        with Recorder((500, {"error": "Internal error"}, {})) as server, self.assertRaises(Unavailable):
            client_of(server).reset_connections("room")
        self.assertEqual(len(server.requests), 1)

    def test_a_timeout_is_not_retried(self):
        held = threading.Event()

        def hold(handler):
            held.wait(10)
            return OK

        with Recorder(hold) as server:
            with self.assertRaises(Unavailable) as failure:
                client_of(server, timeout=0.2).markdown_to_yjs("# a")
            held.set()
        self.assertIn("within 0.2 s", str(failure.exception))
        self.assertEqual(len(server.requests), 1)

    def test_an_unreachable_server(self):
        with Recorder() as server:
            url = server.url
        with self.assertRaises(Unavailable) as failure:
            YProvider(url, "the-secret", attempts=2).reset_connections("room")
        self.assertIn(f"cannot be reached at {url}", str(failure.exception))
        self.assertIsNone(failure.exception.status)

    def test_redirects_are_not_followed(self):
        with Recorder((301, {}, {"Location": "/elsewhere/"})) as server, self.assertRaises(YProviderError):
            client_of(server).reset_connections("room")
        self.assertEqual(len(server.requests), 1)

    def test_a_secret_that_is_no_valid_header_is_not_in_the_error(self):
        with Recorder() as server, self.assertRaises(YProviderError) as failure:
            YProvider(server.url, "two\nlines").reset_connections("room")
        self.assertNotIn("two", "".join(traceback.format_exception(None, failure.exception, None)))

    def test_an_empty_secret_is_rejected(self):
        with self.assertRaises(ValueError):
            YProvider("http://127.0.0.1:1", "")


class Conversions(SimpleTestCase):
    def test_dropped_content_is_reported(self):
        with Recorder((200, b"text", {"X-Conversion-Dropped": "2", "Content-Type": "text/markdown"})) as server:
            with self.assertLogs("collaboration.client", "WARNING"):
                conversion = client_of(server).convert(b"\x00\x00", "application/vnd.yjs.doc", "text/markdown")
        self.assertEqual(conversion, (b"text", "text/markdown", 2))

    def test_strict(self):
        with Recorder((422, {"error": "1 part cannot be said in markdown"}, {})) as server, self.assertRaises(Rejected):
            client_of(server).convert(b"\x00\x00", "application/vnd.yjs.doc", "text/markdown", strict=True)
        self.assertEqual(server.requests[0][1], "/api/convert/?strict=1")

    def test_media_types(self):
        with Recorder((200, b"\x00\x00", {})) as server:
            client_of(server).markdown_to_yjs("# Grüße")
        method, _, headers, body = server.requests[0]
        self.assertEqual(method, "POST")
        self.assertEqual(headers["Content-Type"], "text/markdown")
        self.assertEqual(headers["Accept"], "application/vnd.yjs.doc")
        self.assertEqual(body, "# Grüße".encode())


class ConnectionCalls(SimpleTestCase):
    def test_one_room_or_many_of_one_user(self):
        rooms = [uuid4() for _ in range(120)]
        with Recorder() as server:
            client_of(server).reset_connections("a room/ü&room=b", user_id=7)
            client_of(server).reset_connections(rooms)
        self.assertEqual(server.requests[0][1], "/collaboration/api/reset-connections/?room=a+room%2F%C3%BC%26room%3Db")
        self.assertEqual(server.requests[0][2]["X-User-Id"], "7")
        sent = "".join(path for _, path, _, _ in server.requests[1:])
        self.assertTrue(all(str(room) in sent for room in rooms))
        self.assertEqual(len(server.requests), 4)
        self.assertIsNone(server.requests[1][2]["X-User-Id"])

    def test_an_empty_user_id_does_not_mean_everybody(self):
        with Recorder() as server, self.assertRaises(ValueError):
            client_of(server).reset_connections("room", user_id="")
        self.assertEqual(server.requests, [])

    def test_get_connections(self):
        with Recorder((200, {"count": 2, "exists": True}, {}), (404, {"error": "Room not found"}, {})) as server:
            self.assertEqual(client_of(server).get_connections("room", "key"), Connections(2, True))
            self.assertEqual(client_of(server).get_connections("room", "key"), Connections(0, False))
        self.assertEqual(server.requests[0][1], "/collaboration/api/get-connections/?room=room&sessionKey=key")

    def test_a_wrong_base_url_is_not_an_empty_room(self):
        for other in ((404, {"error": "Not found"}, {}), (404, b"<h1>nginx</h1>", {})):
            with Recorder(other) as server, self.assertRaises(Rejected):
                client_of(server).get_connections("room", "key")


class Tickets(SimpleTestCase):
    provider = YProvider("http://127.0.0.1:1", "a-secret-of-the-tests-that-is-long-enough")

    def read(self, token):
        return jwt.decode(token, self.provider.secret, algorithms=["HS256"])

    def test_the_claims_of_a_ticket(self):
        room = uuid4()
        claims = self.read(self.provider.ticket(room, user_id=7, can_edit=True, session_key="key", lifetime=60))
        self.assertAlmostEqual(claims.pop("exp"), time.time() + 60, delta=5)
        self.assertEqual(claims, {"room": str(room), "user_id": "7", "can_edit": True, "session_key": "key"})

    def test_a_ticket_is_read_only_by_default(self):
        self.assertEqual(set(self.read(self.provider.ticket("room"))), {"room", "exp", "can_edit"})
        self.assertIs(self.read(self.provider.ticket("room"))["can_edit"], False)
        self.assertIs(self.read(self.provider.ticket("room", can_edit="yes"))["can_edit"], False)

    def test_lifetime(self):
        for lifetime in (0, -1, 24 * 60 * 60 + 1):
            with self.assertRaises(ValueError):
                self.provider.ticket("room", lifetime=lifetime)
