from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Creates the users alice, bob and carol, each with their name as the password. For development only."

    def handle(self, *args, **options):
        if not settings.DEBUG:
            raise CommandError("demo_users requires DJANGO_DEBUG=true, because everybody knows these passwords.")
        users = get_user_model().objects
        for name in ("alice", "bob", "carol"):
            if not users.filter(username=name).exists():
                users.create_user(name, password=name)
        self.stdout.write("Sign in as alice, bob or carol; the password is the name.")
