"""This project's y-provider, as the settings name it."""

import logging

from django.conf import settings

from collaboration.client import YProvider, YProviderError

logger = logging.getLogger(__name__)


def y_provider():
    return YProvider(settings.Y_PROVIDER_BASE_URL, settings.COLLABORATION_SERVER_SECRET, settings.Y_PROVIDER_TIMEOUT)


def close_connections(document_id, user_id):
    """Makes one user's editors ask again what they may do. Never fails: the right itself is already stored."""
    try:
        y_provider().reset_connections(document_id, user_id=user_id)
    except YProviderError as error:
        # y-provider asks Django again every few minutes (cookies), so this delays the change and does not cancel it.
        logger.error("The connections of user %s to document %s stay open: %s", user_id, document_id, error)
