"""The API that pages and y-provider call."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpResponse, JsonResponse

from collaboration import client
from collaboration.answers import Refused, api, find_document, read_json
from collaboration.models import Document, Share
from collaboration.provider import close_connections, y_provider

EXPORTS = {"markdown": (client.MARKDOWN, "md"), "html": (client.HTML, "html"), "json": (client.BLOCKS, "json")}


# y-provider calls these two with the browser's cookie (COLLABORATION_BACKEND_USER_PATH and ..._DOCUMENT_PATH)


@api("GET")
def me(request):
    return JsonResponse({"id": str(request.user.pk), "username": request.user.get_username()})


@api("GET")
def document_detail(request, document_id):
    """y-provider reads `abilities`: retrieve = can open the room, update = can edit it."""
    document = find_document(request.user, document_id, "retrieve")
    return JsonResponse(
        {"id": str(document.pk), "title": document.title, "abilities": document.abilities(request.user)}
    )


# Documents


@api("POST")
def import_markdown(request):
    """Creates a document from a markdown file (form field `file`)."""
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused(400, "A markdown file is expected in the form field `file`.")
    update = y_provider().convert(upload.read(), client.MARKDOWN, client.YJS).content
    document = Document.objects.create(title=upload.name[:255], owner=request.user, beginning=update)
    return JsonResponse({"id": str(document.pk), "title": document.title}, status=201)


@api("GET")
def beginning(request, document_id):
    """The initial content of a document, as a Yjs update that the editor applies; empty if it was not imported."""
    document = find_document(request.user, document_id, "retrieve")
    return HttpResponse(bytes(document.beginning), content_type="application/octet-stream")


@api("POST")
def export(request, document_id):
    """Converts the editor's state (the body, a Yjs update) to a file: ?format=markdown, html or json."""
    document = find_document(request.user, document_id, "retrieve")
    media_type, suffix = EXPORTS.get(request.GET.get("format", "markdown"), (None, None))
    if media_type is None:
        raise Refused(400, f"The format must be one of {', '.join(EXPORTS)}.")
    conversion = y_provider().convert(request.body, client.YJS, media_type)
    # Always a download, never a page of this site: the document's authors control its HTML.
    headers = {
        "Content-Disposition": f'attachment; filename="{document.pk}.{suffix}"',
        "X-Content-Type-Options": "nosniff",
    }
    if conversion.dropped:
        headers["X-Conversion-Dropped"] = str(conversion.dropped)
    return HttpResponse(conversion.content, content_type=conversion.content_type, headers=headers)


# Access


@api("POST")
def share_document(request, document_id):
    """Grants a user access, or changes it: {"username": ..., "can_edit": true or false}."""
    document = find_document(request.user, document_id, "share")
    body = read_json(request)
    user = get_user_model().objects.filter(username=str(body.get("username"))).first()
    if user is None or user == document.owner:
        raise Refused(400, "No other user has this name.")
    can_edit = body.get("can_edit") is True
    with transaction.atomic():
        Share.objects.update_or_create(document=document, user=user, defaults={"can_edit": can_edit})
        transaction.on_commit(lambda: close_connections(document.pk, user.pk))
    return JsonResponse({"user_id": str(user.pk), "username": user.username, "can_edit": can_edit})


@api("DELETE")
def unshare(request, document_id, username):
    """Revokes a user's access: their open connections are closed at once, and refused when they reconnect."""
    document = find_document(request.user, document_id, "share")
    share = document.shares.filter(user__username=username).first()
    if share is None:
        raise Refused(404, "The document is not shared with this user.")
    with transaction.atomic():
        share.delete()
        transaction.on_commit(lambda: close_connections(document.pk, share.user_id))
    return HttpResponse(status=204)


@api("GET")
def ticket(request, document_id):
    """A ticket for this room with the user's current access, for browsers that reach y-provider without a cookie.

    It is valid for five minutes. The page fetches another one every two minutes and renews its open connection with it.
    """
    document = find_document(request.user, document_id, "retrieve")
    token = y_provider().ticket(
        document.pk,
        user_id=request.user.pk,
        can_edit=document.abilities(request.user)["update"],
        session_key=request.session.session_key,
        lifetime=300,
    )
    return JsonResponse({"ticket": token})


@api("GET")
def connections(request, document_id):
    """The number of connections that can edit, and whether this session has one of them."""
    document = find_document(request.user, document_id, "retrieve")
    return JsonResponse(y_provider().get_connections(document.pk, request.session.session_key)._asdict())
