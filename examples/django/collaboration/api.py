"""What pages, and y-provider itself, ask of Django."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpResponse, JsonResponse

from collaboration import client
from collaboration.answers import Refused, api, find_document, read_json
from collaboration.models import Document, Share
from collaboration.provider import close_connections, y_provider

EXPORTS = {"markdown": (client.MARKDOWN, "md"), "html": (client.HTML, "html"), "json": (client.BLOCKS, "json")}


# y-provider asks these two with the browser's cookie (COLLABORATION_BACKEND_USER_PATH and ..._DOCUMENT_PATH)


@api("GET")
def me(request):
    return JsonResponse({"id": str(request.user.pk), "username": request.user.get_username()})


@api("GET")
def document_detail(request, document_id):
    """`abilities` is what y-provider reads: retrieve = may open the room, update = may change it."""
    document = find_document(request.user, document_id, "retrieve")
    return JsonResponse(
        {"id": str(document.pk), "title": document.title, "abilities": document.abilities(request.user)}
    )


# Documents


@api("POST")
def import_markdown(request):
    """Makes a document out of a markdown file (form field `file`)."""
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused(400, "A markdown file is expected in the form field `file`.")
    update = y_provider().convert(upload.read(), client.MARKDOWN, client.YJS).content
    document = Document.objects.create(title=upload.name[:255], owner=request.user, beginning=update)
    return JsonResponse({"id": str(document.pk), "title": document.title}, status=201)


@api("GET")
def beginning(request, document_id):
    """What an imported document began with, for the editor to apply; empty for one that began empty."""
    document = find_document(request.user, document_id, "retrieve")
    return HttpResponse(bytes(document.beginning), content_type="application/octet-stream")


@api("POST")
def export(request, document_id):
    """The editor's state (the body, a Yjs update) as a file: ?format=markdown, html or json."""
    document = find_document(request.user, document_id, "retrieve")
    media_type, suffix = EXPORTS.get(request.GET.get("format", "markdown"), (None, None))
    if media_type is None:
        raise Refused(400, f"The format must be one of {', '.join(EXPORTS)}.")
    conversion = y_provider().convert(request.body, client.YJS, media_type)
    # A file to keep, never a page of this site: the document's HTML was written by its authors.
    headers = {"Content-Disposition": f'attachment; filename="{document.pk}.{suffix}"', "X-Content-Type-Options": "nosniff"}
    if conversion.dropped:
        headers["X-Conversion-Dropped"] = str(conversion.dropped)
    return HttpResponse(conversion.content, content_type=conversion.content_type, headers=headers)


# Rights


@api("POST")
def share_document(request, document_id):
    """Gives a user a right, or changes it: {"username": ..., "can_edit": true or false}."""
    document = find_document(request.user, document_id, "share")
    body = read_json(request)
    user = get_user_model().objects.filter(username=str(body.get("username"))).first()
    if user is None or user == document.owner:
        raise Refused(400, "There is no other user of this name.")
    can_edit = body.get("can_edit") is True
    with transaction.atomic():
        Share.objects.update_or_create(document=document, user=user, defaults={"can_edit": can_edit})
        transaction.on_commit(lambda: close_connections(document.pk, user.pk))
    return JsonResponse({"user_id": str(user.pk), "username": user.username, "can_edit": can_edit})


@api("DELETE")
def unshare(request, document_id, username):
    """Takes the right away; open editors of this user are closed at once and refused when they come back."""
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

    It is valid for five minutes. The page asks for another one every two minutes and renews its open connection with it.
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
    """How many editors are open, and whether this session has one."""
    document = find_document(request.user, document_id, "retrieve")
    return JsonResponse(y_provider().get_connections(document.pk, request.session.session_key)._asdict())
