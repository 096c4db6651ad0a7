"""A server with prepared answers: shows the requests that the client makes, and how it handles failures."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Recorder:
    """Answers with (status, body, headers) in turn, the last one repeatedly. Records (method, path, headers, body)."""

    def __init__(self, *answers):
        self.answers = list(answers) or [(200, {"message": "Connections reset"}, {})]
        self.requests = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                recorder.requests.append((self.command, self.path, self.headers, body))
                answer = recorder.answers.pop(0) if len(recorder.answers) > 1 else recorder.answers[0]
                status, body, headers = answer(self) if callable(answer) else answer
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(payload)
                except ConnectionError:
                    pass  # the client did not wait

            do_GET = do_POST = handle_any

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *failure):
        self._server.shutdown()
        self._server.server_close()
