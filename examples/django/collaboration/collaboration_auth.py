"""The view that nginx calls (`auth_request`) before it passes a WebSocket to y-provider."""

from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.http import Http404, HttpResponse

from collaboration.answers import Refused, api, find_document

PREFIX = "/collaboration/ws/"


@api("GET")
def collaboration_auth(request):
    """Returns the user's id and access in headers, which nginx passes on. y-provider trusts them because of the secret.

    The response contains the secret, so only nginx must see it: docs/nginx.md shows the directives that hide it from
    browsers. Without these directives, leave COLLABORATION_AUTH_REQUEST off, which disables the view.
    """
    if not settings.COLLABORATION_AUTH_REQUEST:
        raise Http404
    try:
        room = room_of(request.headers.get("X-Original-URL", ""))
        document = find_document(request.user, room, "retrieve")
    except Refused as refusal:
        # nginx accepts only 401 and 403 as refusals; it turns a 404 into a 500.
        raise Refused(403, str(refusal)) from None
    return HttpResponse(
        headers={
            "Authorization": settings.COLLABORATION_SERVER_SECRET,
            "X-User-Id": str(request.user.pk),
            "X-Can-Edit": str(document.abilities(request.user)["update"]),
            "X-Session-Key": request.session.session_key,
        }
    )


def room_of(url):
    """Returns the room of a WebSocket URL: /collaboration/ws/<room>, or ?room=<room>, or both if they are equal."""
    parts = urlsplit(url)
    rooms = set(parse_qs(parts.query).get("room", []))
    if parts.path.startswith(PREFIX) and parts.path != PREFIX:
        rooms.add(unquote(parts.path[len(PREFIX) :].rstrip("/")))
    if len(rooms) != 1:
        raise Refused(403, "The address does not name one room.")
    return rooms.pop()
