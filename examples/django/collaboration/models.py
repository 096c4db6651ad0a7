"""Documents and who may do what with them. Their text lives in y-provider, in the room named after `Document.pk`."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class DocumentQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(Q(owner=user) | Q(shares__user=user)).distinct()


class Document(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=255, default="Untitled")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="documents")
    created_at = models.DateTimeField(auto_now_add=True)
    # What the document began with, as one Yjs update: an imported file. Every editor applies it when it opens; Yjs
    # takes the same update only once, so it never doubles.
    beginning = models.BinaryField(blank=True, default=b"")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self):
        return self.title

    def abilities(self, user):
        """What this user may do, in the form in which y-provider asks for it."""
        if not user.is_authenticated:
            return {"retrieve": False, "update": False}
        if user.pk == self.owner_id:
            return {"retrieve": True, "update": True}
        share = self.shares.filter(user=user).first()
        return {"retrieve": share is not None, "update": share is not None and share.can_edit}


class Share(models.Model):
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shares")
    can_edit = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "user"], name="one_share_per_user")]

    def __str__(self):
        return f"{self.user} may {'edit' if self.can_edit else 'read'} {self.document}"
