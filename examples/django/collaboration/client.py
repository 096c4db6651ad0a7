"""A client of y-provider in one file: copy it into your project. It needs `requests`, and `PyJWT` for tickets.

    y_provider = YProvider("http://127.0.0.1:4444", settings.COLLABORATION_SERVER_SECRET)
    update = y_provider.markdown_to_yjs("# Hello")
    y_provider.reset_connections(document.pk, user_id=user.pk)
"""

import json
import logging
import time
from typing import Any, Iterable, List, NamedTuple, Optional, Union
from uuid import UUID

import requests

logger = logging.getLogger(__name__)

MARKDOWN = "text/markdown"
YJS = "application/vnd.yjs.doc"
HTML = "text/html"
BLOCKS = "application/json"

Room = Union[str, UUID]


class YProviderError(Exception):
    """A call to y-provider failed. `status` is its HTTP status, None if there was no response."""

    def __init__(self, message: str, status: Optional[int] = None):
        super().__init__(message)
        self.status = status


class Forbidden(YProviderError):
    """403: y-provider has a different secret."""


class Rejected(YProviderError):
    """Any other 4xx: y-provider rejects this request, and will reject it again."""


class Unavailable(YProviderError):
    """No response in time, 429 or 5xx: nothing is wrong with the request. Retry later."""


class Conversion(NamedTuple):
    content: bytes
    content_type: str
    dropped: int  # parts of the document that the other format cannot express


class Connections(NamedTuple):
    count: int  # connections to the room that can edit
    exists: bool  # whether one of them belongs to the given session


class YProvider:
    """Calls y-provider, or the load balancer in front of several. Threads can share it: it keeps no connection open.

    base_url: the internal address at which Django reaches it, such as http://127.0.0.1:4444.
    secret: COLLABORATION_SERVER_SECRET, sent as it is: no "Bearer", no quotes.
    timeout: seconds to wait for a response; at most 5 of them for the connection.
    attempts: how often to try a call that cannot connect, or gets 429, 502, 503 or 504. Retrying is safe, since no call
        changes a document. A call that timed out is not retried.
    verify: the path of a CA bundle, for https with a private certificate.
    """

    def __init__(
        self, base_url: str, secret: str, timeout: float = 30.0, attempts: int = 3, verify: Union[bool, str] = True
    ):
        if not secret:
            raise ValueError("The secret shared with y-provider is empty.")
        self.base_url = base_url.rstrip("/")
        self.secret = secret
        self.timeout = timeout
        self.attempts = attempts
        self.verify = verify

    # Conversion

    def convert(
        self, content: Union[str, bytes], content_type: str, accept: str, strict: bool = False
    ) -> Conversion:
        """Converts between formats, given as media types. With `strict`, raises Rejected if anything would be lost."""
        body = content.encode("utf-8") if isinstance(content, str) else bytes(content)
        answer = self._call(
            "POST",
            "/api/convert/",
            params=[("strict", "1")] if strict else [],
            headers={"Content-Type": content_type, "Accept": accept},
            data=body,
        )
        dropped = int(answer.headers.get("X-Conversion-Dropped", 0))
        if dropped:
            logger.warning("Left out %d parts of a document converted from %s to %s.", dropped, content_type, accept)
        return Conversion(answer.content, answer.headers.get("Content-Type", accept), dropped)

    def markdown_to_yjs(self, markdown: str) -> bytes:
        """A document's whole state as one Yjs update."""
        return self.convert(markdown, MARKDOWN, YJS).content

    def yjs_to_markdown(self, update: bytes) -> str:
        return self.convert(update, YJS, MARKDOWN).content.decode("utf-8")

    def yjs_to_html(self, update: bytes) -> str:
        return self.convert(update, YJS, HTML).content.decode("utf-8")

    def yjs_to_json(self, update: bytes) -> List[Any]:
        """The document as BlockNote's list of blocks."""
        return json.loads(self.convert(update, YJS, BLOCKS).content)

    # Connections

    def reset_connections(self, rooms: Union[Room, Iterable[Room]], user_id: Any = None) -> None:
        """Closes all connections to one or more rooms, or those of one user. Access is checked again on reconnecting.

        Call it after the transaction that revokes or reduces access: see transaction.on_commit().
        """
        if user_id is not None and not str(user_id):
            raise ValueError("The user's id is empty; use None for all users.")
        names = [str(rooms)] if isinstance(rooms, (str, UUID)) else [str(room) for room in rooms]
        headers = {} if user_id is None else {"X-User-Id": str(user_id)}
        for start in range(0, len(names), 50):  # keeps each URL well under 16 KB
            self._call(
                "POST",
                "/collaboration/api/reset-connections/",
                params=[("room", name) for name in names[start : start + 50]],
                headers=headers,
            )

    def get_connections(self, room: Room, session_key: str) -> Connections:
        """The number of connections that can edit, and whether this session has one of them."""
        try:
            answer = self._call(
                "GET",
                "/collaboration/api/get-connections/",
                params=[("room", str(room)), ("sessionKey", session_key)],
            )
        except Rejected as error:
            # Another 404 means that base_url points to something else.
            if error.status == 404 and "Room not found" in str(error):
                return Connections(0, False)
            raise
        body = answer.json()
        return Connections(body["count"], body["exists"])

    # Tickets

    def ticket(
        self,
        room: Room,
        user_id: Any = None,
        can_edit: bool = False,
        session_key: Optional[str] = None,
        lifetime: int = 60,
    ) -> str:
        """Returns a JWT that opens this room, and no other, for `lifetime` seconds (at most a day).

        A connection ends when its ticket expires, unless the page renews it with another one: see docs/django.md.
        """
        import jwt

        if not 0 < lifetime <= 24 * 60 * 60:
            raise ValueError("A ticket's lifetime must be more than 0 and at most 24 hours, in seconds.")
        claims = {"room": str(room), "exp": int(time.time()) + lifetime, "can_edit": can_edit is True}
        if user_id is not None:
            claims["user_id"] = str(user_id)
        if session_key:
            claims["session_key"] = session_key
        return jwt.encode(claims, self.secret, algorithm="HS256")

    # HTTP

    def _call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {**arguments.pop("headers", {}), "Authorization": self.secret}
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts
            try:
                with requests.Session() as session:
                    # ~/.netrc would replace the Authorization header; a proxy from the environment would see it.
                    session.trust_env = False
                    answer = session.request(
                        method,
                        self.base_url + path,
                        headers=headers,
                        timeout=(min(5.0, self.timeout), self.timeout),
                        allow_redirects=False,
                        verify=self.verify,
                        **arguments,
                    )
            except requests.ReadTimeout as error:
                raise Unavailable(f"y-provider did not answer {method} {path} within {self.timeout:g} s.") from error
            except requests.ConnectionError as error:
                if last:
                    raise Unavailable(f"y-provider cannot be reached at {self.base_url}.") from error
                time.sleep(0.2 * attempt)
                continue
            except requests.RequestException as error:
                # Not chained: the text of InvalidHeader contains the header, which can be the secret.
                reason = type(error).__name__
                raise YProviderError(f"{method} {path} could not be sent to y-provider: {reason}.") from None
            if answer.status_code in (429, 502, 503, 504) and not last:
                time.sleep(self._pause(answer, attempt))
                continue
            if answer.status_code != 200:
                raise self._error(answer, f"{method} {path}")
            return answer
        raise ValueError("attempts must be at least 1.")

    @staticmethod
    def _pause(answer: requests.Response, attempt: int) -> float:
        """Seconds until the next attempt: Retry-After, but at most 5 s, since a request to Django waits meanwhile."""
        asked = answer.headers.get("Retry-After", "")
        return min(float(asked), 5.0) if asked.isdecimal() else 0.2 * attempt

    @staticmethod
    def _error(answer: requests.Response, call: str) -> YProviderError:
        status = answer.status_code
        try:
            reason = str(answer.json()["error"])
        except (ValueError, KeyError, TypeError):
            reason = "no reason given; is there something else at this address?"
        message = f"y-provider answered {call} with {status}: {reason}"
        if status == 403 and "Invalid API Key" in reason:
            return Forbidden(
                f"{message}\nCheck that COLLABORATION_SERVER_SECRET is the same for Django and for y-provider,"
                " that both were restarted since it changed, and that the Authorization header is the raw secret,"
                ' without "Bearer".',
                status,
            )
        if 400 <= status < 500 and status != 429:
            return Rejected(message, status)
        if status >= 500 or status == 429:
            return Unavailable(message, status)
        return YProviderError(message, status)
