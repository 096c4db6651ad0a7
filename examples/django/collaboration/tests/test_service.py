"""The client and the views against the real y-provider."""

from io import StringIO

import requests
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from collaboration.client import Connections, Forbidden, Rejected, YProvider
from collaboration.models import Document
from collaboration.tests.service import API_KEY, SECRET, Service

MARKDOWN = "# Plan\n\nSome **bold** words.\n\n* one\n* two\n"


class RealService(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service()
        cls.service.__enter__()
        cls.addClassCleanup(cls.service.__exit__)
        cls.provider = YProvider(cls.service.url, SECRET)
        settings = override_settings(Y_PROVIDER_BASE_URL=cls.service.url, COLLABORATION_SERVER_SECRET=SECRET)
        settings.enable()
        cls.addClassCleanup(settings.disable)

    def test_markdown_and_back(self):
        update = self.provider.markdown_to_yjs(MARKDOWN)
        self.assertEqual(self.provider.yjs_to_markdown(update), MARKDOWN)
        self.assertIn("<strong>bold</strong>", self.provider.yjs_to_html(update))
        self.assertEqual([block["type"] for block in self.provider.yjs_to_json(update)][:2], ["heading", "paragraph"])

    def test_unreadable_content(self):
        with self.assertRaises(Rejected) as refusal:
            self.provider.yjs_to_markdown(b"no update")
        self.assertEqual(refusal.exception.status, 400)

    def test_secrets(self):
        for secret in ("wrong", SECRET.upper(), f"Bearer {SECRET}"):
            with self.assertRaises(Forbidden):
                YProvider(self.service.url, secret).markdown_to_yjs("# a")

    def test_key_as_bearer(self):
        """The request of La Suite Docs 3.4 and later, whose Y_PROVIDER_API_BASE_URL ends with /api/."""
        def convert(key):
            headers = {
                "Authorization": f"Bearer {key}",
                "Content-Type": "text/markdown",
                "Accept": "application/vnd.yjs.doc",
            }
            url = f"{self.service.url}/api/convert/"
            return requests.post(url, headers=headers, data=MARKDOWN.encode(), timeout=30)

        answer = convert(API_KEY)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(self.provider.yjs_to_markdown(answer.content), MARKDOWN)
        answer = convert(SECRET)
        self.assertEqual((answer.status_code, answer.json()), (403, {"error": "Forbidden: Invalid API Key"}))

    def test_connections_of_an_empty_room(self):
        self.provider.reset_connections("nobody is here")
        self.provider.reset_connections(["one", "two"], user_id=7)
        self.assertEqual(self.provider.get_connections("nobody is here", "key"), Connections(0, False))

    def test_import_and_export(self):
        self.client.force_login(get_user_model().objects.create_user("alice"))
        upload = SimpleUploadedFile("plan.md", MARKDOWN.encode())
        answer = self.client.post("/api/v1.0/documents/import/", {"file": upload})
        self.assertEqual(answer.status_code, 201)
        document = Document.objects.get(pk=answer.json()["id"])
        self.assertEqual(document.title, "plan.md")
        beginning = self.client.get(f"/api/v1.0/documents/{document.pk}/beginning/").content
        export = self.client.post(
            f"/api/v1.0/documents/{document.pk}/export/?format=markdown",
            beginning,
            content_type="application/octet-stream",
        )
        self.assertEqual(export.content.decode(), MARKDOWN)
        self.assertIn("attachment", export["Content-Disposition"])

    def test_the_command(self):
        said = StringIO()
        call_command("check_y_provider", stdout=said)
        self.assertIn("knows the secret", said.getvalue())
        wrong = override_settings(COLLABORATION_SERVER_SECRET="wrong")
        with wrong, self.assertRaisesRegex(CommandError, "Invalid API Key"):
            call_command("check_y_provider")
