from django.urls import include, path

from collaboration import api, pages
from collaboration.collaboration_auth import collaboration_auth

document = [
    path("", api.document_detail),
    path("beginning/", api.beginning),
    path("connections/", api.connections),
    path("export/", api.export),
    path("shares/", api.share_document),
    path("shares/<str:username>/", api.unshare),
    path("ticket/", api.ticket),
]
urlpatterns = [
    path("", pages.documents, name="documents"),
    path("documents/<uuid:document_id>/", pages.document, name="document"),
    path("api/v1.0/users/me/", api.me),
    path("api/v1.0/documents/import/", api.import_markdown),
    path("api/v1.0/documents/collaboration-auth/", collaboration_auth),
    path("api/v1.0/documents/<uuid:document_id>/", include(document)),
]
