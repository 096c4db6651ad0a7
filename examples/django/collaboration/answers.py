"""Code that all API views share: authentication, finding the document, and error responses."""

import functools
import json
import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from collaboration.client import Rejected, YProviderError
from collaboration.models import Document

logger = logging.getLogger(__name__)


class Refused(Exception):
    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status


def api(*methods):
    """Wraps a view: it requires a signed-in user, returns errors as JSON, and is never cached."""

    def wrap(view):
        @never_cache
        @require_http_methods(methods)
        @functools.wraps(view)
        def answer(request, *args, **kwargs):
            try:
                if not request.user.is_authenticated:
                    raise Refused(401, "Sign in first.")
                return view(request, *args, **kwargs)
            except Refused as refusal:
                return JsonResponse({"detail": str(refusal)}, status=refusal.status)
            except Rejected as error:
                return JsonResponse({"detail": str(error)}, status=400)
            except YProviderError as error:
                logger.error("%s", error)
                detail = str(error) if settings.DEBUG else "The collaboration service is not available."
                return JsonResponse({"detail": detail}, status=502)

        return answer

    return wrap


def find_document(user, document_id, ability):
    """Returns the document if this user has the ability ("retrieve", "update") or, for "share", is its owner.

    Only the canonical spelling of the UUID is accepted: another spelling would name another room.
    """
    try:
        document = Document.objects.get(pk=document_id)
    except (Document.DoesNotExist, ValidationError):
        document = None
    if document is None or str(document.pk) != str(document_id):
        raise Refused(404, "The document does not exist.")
    allowed = user.pk == document.owner_id if ability == "share" else document.abilities(user)[ability]
    if not allowed:
        raise Refused(403, "You may not do this with this document.")
    return document


def read_json(request):
    """Returns the request's body as a dict."""
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object.")
    return body
