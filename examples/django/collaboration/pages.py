"""The two pages: a list of documents, and an editor."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie

from collaboration.models import Document


@login_required
@ensure_csrf_cookie
def documents(request):
    if request.method == "POST":
        title = request.POST.get("title", "").strip()[:255] or "Untitled"
        return redirect("document", Document.objects.create(title=title, owner=request.user).pk)
    return render(request, "collaboration/documents.html", {"documents": Document.objects.visible_to(request.user)})


@login_required
@ensure_csrf_cookie
def document(request, document_id):
    document = get_object_or_404(Document, pk=document_id)
    if not document.abilities(request.user)["retrieve"]:
        raise PermissionDenied
    config = {
        "room": str(document.pk),
        "websocketUrl": settings.COLLABORATION_WS_URL,
        "access": settings.COLLABORATION_ACCESS,
        "user": request.user.get_username(),
    }
    return render(request, "collaboration/document.html", {"document": document, "config": config})
