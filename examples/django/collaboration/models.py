"""Documents and access to them. Their text is in y-provider, in the room named after `Document.pk`."""

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
    # The content of an imported file, as one Yjs update. Each editor applies it when it opens the document; Yjs applies
    # the same update only once.
    beginning = models.BinaryField(blank=True, default=b"")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self):
        return self.title

    def abilities(self, user):
        """This user's access, in the form that y-provider expects."""
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
        return f"{self.user} can {'edit' if self.can_edit else 'read'} {self.document}"
