"""What every view of the API does the same way: who asks, for which document, and how a refusal looks."""

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
    """Wraps a view: signed-in users only, refusals as JSON, answers never cached."""

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
    """The document, if it is there and this user has the ability ("retrieve", "update") or is its owner ("share").

    A UUID can be written in many ways, and a room has exactly one name: another spelling is another, unknown document.
    """
    try:
        document = Document.objects.get(pk=document_id)
    except (Document.DoesNotExist, ValidationError):
        document = None
    if document is None or str(document.pk) != str(document_id):
        raise Refused(404, "There is no such document.")
    allowed = user.pk == document.owner_id if ability == "share" else document.abilities(user)[ability]
    if not allowed:
        raise Refused(403, "You may not do this with this document.")
    return document


def read_json(request):
    """The request's body as a dict."""
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object.")
    return body
