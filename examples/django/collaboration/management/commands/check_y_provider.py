from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from collaboration.client import YProviderError
from collaboration.provider import y_provider


class Command(BaseCommand):
    help = "Makes a request to y-provider and reports what is wrong, if anything."
    requires_system_checks = []

    def handle(self, *args, **options):
        text = "# It works\n"
        try:
            back = y_provider().yjs_to_markdown(y_provider().markdown_to_yjs(text))
        except YProviderError as error:
            raise CommandError(str(error)) from None
        if back != text:
            raise CommandError(f"{settings.Y_PROVIDER_BASE_URL} answered, but not as y-provider does.")
        self.stdout.write(f"y-provider at {settings.Y_PROVIDER_BASE_URL} knows the secret and converts markdown.")
