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
    """y-provider did not do what it was asked to. `status` is its HTTP status, None when there was no answer."""

    def __init__(self, message: str, status: Optional[int] = None):
        super().__init__(message)
        self.status = status


class Forbidden(YProviderError):
    """403: the secret is not the one that y-provider has."""


class Rejected(YProviderError):
    """Any other 4xx: what was sent cannot be used. Sending it again will not help."""


class Unavailable(YProviderError):
    """No answer, in time or at all, or a 5xx: nothing is wrong with what was sent. Try again later."""


class Conversion(NamedTuple):
    content: bytes
    content_type: str
    dropped: int  # parts of the document that the other format cannot say


class Connections(NamedTuple):
    count: int  # connections to the room that may edit
    exists: bool  # whether one of them belongs to the session that was asked for


class YProvider:
    """Speaks to one y-provider (or the load balancer before several). Holds no connection, so threads may share it.

    base_url: where Django reaches it, such as http://127.0.0.1:4444, an internal address.
    secret: COLLABORATION_SERVER_SECRET, sent as it is: no "Bearer", no quotes.
    timeout: seconds to wait for an answer. Connecting never takes longer than 5.
    attempts: how often a call is made that met no server, or a busy one (429, 502, 503, 504). Every call here may be
        repeated: none changes a document. A call that ran into its time-out is not made again.
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
        """Converts between formats, given as media types. With `strict`, content that would lose a part is Rejected."""
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
            logger.warning("%d parts of a document were left out on the way from %s to %s.", dropped, content_type, accept)
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
        """Closes the connections of one or more rooms, of everybody or of one user; who comes back is authorised anew.

        Call it after the transaction in which a right was taken away or lowered: see transaction.on_commit().
        """
        if user_id is not None and not str(user_id):
            raise ValueError("The user's id is empty; None stands for everybody.")
        names = [str(rooms)] if isinstance(rooms, (str, UUID)) else [str(room) for room in rooms]
        headers = {} if user_id is None else {"X-User-Id": str(user_id)}
        for start in range(0, len(names), 50):  # keeps the address of each call well under 16 KB
            self._call(
                "POST",
                "/collaboration/api/reset-connections/",
                params=[("room", name) for name in names[start : start + 50]],
                headers=headers,
            )

    def get_connections(self, room: Room, session_key: str) -> Connections:
        """How many connections to the room may edit, and whether this session has one of them."""
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
        """A JWT with which a browser opens this room, and no other, within `lifetime` seconds (at most a day).

        It is checked when a connection opens, so it may be short: the page fetches a new one for each reconnect.
        """
        import jwt

        if not 0 < lifetime <= 24 * 60 * 60:
            raise ValueError("A ticket's lifetime is more than nothing and at most 24 hours, in seconds.")
        claims = {"room": str(room), "exp": int(time.time()) + lifetime, "can_edit": can_edit is True}
        if user_id is not None:
            claims["user_id"] = str(user_id)
        if session_key:
            claims["session_key"] = session_key
        return jwt.encode(claims, self.secret, algorithm="HS256")

    # How every call is made

    def _call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {**arguments.pop("headers", {}), "Authorization": self.secret}
        for attempt in range(1, self.attempts + 1):
            last = attempt == self.attempts
            try:
                with requests.Session() as session:
                    # A ~/.netrc entry would replace the Authorization header, a proxy from the environment would read it.
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
                # Not chained: the text of InvalidHeader holds the header, and that may be the secret.
                raise YProviderError(f"{method} {path} could not be sent to y-provider: {type(error).__name__}.") from None
            if answer.status_code in (429, 502, 503, 504) and not last:
                time.sleep(self._pause(answer, attempt))
                continue
            if answer.status_code != 200:
                raise self._error(answer, f"{method} {path}")
            return answer
        raise ValueError("attempts must be at least 1.")

    @staticmethod
    def _pause(answer: requests.Response, attempt: int) -> float:
        """Seconds until the next attempt: what the server asked for, within what a request of Django's can wait."""
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
                f"{message}\nCheck that COLLABORATION_SERVER_SECRET is the same for Django and for y-provider, that both were"
                ' restarted since it changed, and that the Authorization header is the raw secret, without "Bearer".',
                status,
            )
        if 400 <= status < 500 and status != 429:
            return Rejected(message, status)
        if status >= 500 or status == 429:
            return Unavailable(message, status)
        return YProviderError(message, status)
