"""Access to y-provider with this project's settings."""

import logging

from django.conf import settings

from collaboration.client import YProvider, YProviderError

logger = logging.getLogger(__name__)


def y_provider():
    return YProvider(settings.Y_PROVIDER_BASE_URL, settings.COLLABORATION_SERVER_SECRET, settings.Y_PROVIDER_TIMEOUT)


def close_connections(document_id, user_id):
    """Closes one user's connections, so that access is checked again. Never fails: the new access is already stored."""
    try:
        y_provider().reset_connections(document_id, user_id=user_id)
    except YProviderError as error:
        # With cookies, y-provider checks access every few minutes, so the change is only delayed.
        logger.error("Failed to close the connections of user %s to document %s: %s", user_id, document_id, error)
