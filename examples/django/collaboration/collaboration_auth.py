"""The view that nginx asks (`auth_request`) before it lets a WebSocket through to y-provider."""

from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.http import Http404, HttpResponse

from collaboration.answers import Refused, api, find_document

PREFIX = "/collaboration/ws/"


@api("GET")
def collaboration_auth(request):
    """Answers who the browser is, in headers that nginx hands on, with the secret that makes y-provider believe them.

    The answer holds the secret, so only nginx may see it: docs/nginx.md shows the lines that keep browsers away. Where
    nginx is not set up like that, COLLABORATION_AUTH_REQUEST stays off and this view does not exist.
    """
    if not settings.COLLABORATION_AUTH_REQUEST:
        raise Http404
    try:
        room = room_of(request.headers.get("X-Original-URL", ""))
        document = find_document(request.user, room, "retrieve")
    except Refused as refusal:
        # nginx knows no other refusals than 401 and 403; a 404 would become a 500.
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
    """The room that a WebSocket address names: /collaboration/ws/<room>, or ?room= on the Hocuspocus path, or both alike."""
    parts = urlsplit(url)
    rooms = set(parse_qs(parts.query).get("room", []))
    if parts.path.startswith(PREFIX) and parts.path != PREFIX:
        rooms.add(unquote(parts.path[len(PREFIX) :].rstrip("/")))
    if len(rooms) != 1:
        raise Refused(403, "The address does not name one room.")
    return rooms.pop()
