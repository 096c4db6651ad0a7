from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings

from collaboration.models import Document
from collaboration.tests.recorder import Recorder


class WithPeople(TestCase):
    @classmethod
    def setUpTestData(cls):
        users = get_user_model().objects
        cls.alice, cls.bob, cls.carol = (users.create_user(name) for name in ("alice", "bob", "carol"))
        cls.document = Document.objects.create(title="Plan", owner=cls.alice)
        cls.url = f"/api/v1.0/documents/{cls.document.pk}/"
        cls.reader = cls.document.shares.create(user=cls.bob)


class Abilities(WithPeople):
    def abilities(self, user):
        self.client.force_login(user)
        answer = self.client.get(self.url)
        return answer.json()["abilities"] if answer.status_code == 200 else answer.status_code

    def test_abilities(self):
        self.assertEqual(self.abilities(self.alice), {"retrieve": True, "update": True})
        self.assertEqual(self.abilities(self.bob), {"retrieve": True, "update": False})
        self.document.shares.update(can_edit=True)
        self.assertEqual(self.abilities(self.bob), {"retrieve": True, "update": True})
        self.assertEqual(self.abilities(self.carol), 403)

    def test_signing_in_is_required(self):
        self.assertEqual(self.client.get(self.url).status_code, 401)
        self.assertEqual(self.client.get("/api/v1.0/users/me/").status_code, 401)
        self.client.force_login(self.bob)
        self.assertEqual(self.client.get(f"/api/v1.0/documents/{uuid4()}/").status_code, 404)
        self.assertEqual(self.client.get("/api/v1.0/users/me/").json(), {"id": str(self.bob.pk), "username": "bob"})

    def test_responses_about_access_are_not_cached(self):
        self.client.force_login(self.bob)
        self.assertIn("no-store", self.client.get(self.url)["Cache-Control"])


class Shares(WithPeople):
    def test_unsharing_resets_the_connections_of_that_user(self):
        self.client.force_login(self.alice)
        with Recorder() as server, override_settings(Y_PROVIDER_BASE_URL=server.url):
            with self.captureOnCommitCallbacks(execute=True):
                answer = self.client.delete(f"{self.url}shares/bob/")
        self.assertEqual(answer.status_code, 204)
        self.assertFalse(self.document.shares.exists())
        (method, path, headers, _), = server.requests
        self.assertEqual((method, path), ("POST", f"/collaboration/api/reset-connections/?room={self.document.pk}"))
        self.assertEqual(headers["Authorization"], settings.COLLABORATION_SERVER_SECRET)
        self.assertEqual(headers["X-User-Id"], str(self.bob.pk))

    def test_access_is_revoked_even_if_y_provider_is_unavailable(self):
        self.client.force_login(self.alice)
        stopping = (503, {"error": "Draining"}, {"Retry-After": "0"})
        with Recorder(stopping) as server, override_settings(Y_PROVIDER_BASE_URL=server.url):
            with self.assertLogs("collaboration.provider", "ERROR"), self.captureOnCommitCallbacks(execute=True):
                answer = self.client.delete(f"{self.url}shares/bob/")
        self.assertEqual(answer.status_code, 204)

    def test_changed_access_resets_too(self):
        self.client.force_login(self.alice)
        with Recorder() as server, override_settings(Y_PROVIDER_BASE_URL=server.url):
            with self.captureOnCommitCallbacks(execute=True):
                share = {"username": "bob", "can_edit": True}
                self.client.post(f"{self.url}shares/", share, content_type="application/json")
        self.assertTrue(self.document.shares.get(user=self.bob).can_edit)
        self.assertEqual(len(server.requests), 1)

    def test_only_the_owner_shares(self):
        self.client.force_login(self.bob)
        for body in ({"username": "carol"}, {"username": "bob", "can_edit": True}):
            answer = self.client.post(f"{self.url}shares/", body, content_type="application/json")
            self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.client.delete(f"{self.url}shares/bob/").status_code, 403)

    def test_invalid_shares_are_rejected(self):
        self.client.force_login(self.alice)
        for body in ({"username": "nobody"}, {"username": "alice"}, {}, []):
            answer = self.client.post(f"{self.url}shares/", body, content_type="application/json")
            self.assertEqual(answer.status_code, 400)
        self.assertEqual(self.client.delete(f"{self.url}shares/carol/").status_code, 404)


class Failures(WithPeople):
    """Responses to users when y-provider rejects a request or is unavailable."""

    def import_against(self, *answers):
        self.client.force_login(self.alice)
        with Recorder(*answers) as server, override_settings(Y_PROVIDER_BASE_URL=server.url):
            return self.client.post("/api/v1.0/documents/import/", {"file": SimpleUploadedFile("a.md", b"# a")})

    def test_a_wrong_secret_is_reported_to_developers_only(self):
        wrong = (403, {"error": "Forbidden: Invalid API Key"}, {})
        with self.assertLogs("collaboration.answers", "ERROR") as log:
            answer = self.import_against(wrong)
        self.assertEqual(answer.status_code, 502)
        self.assertEqual(answer.json(), {"detail": "The collaboration service is not available."})
        self.assertIn("COLLABORATION_SERVER_SECRET is the same", log.output[0])
        with override_settings(DEBUG=True), self.assertLogs("collaboration.answers", "ERROR"):
            self.assertIn("COLLABORATION_SERVER_SECRET is the same", self.import_against(wrong).json()["detail"])

    def test_a_rejected_file(self):
        answer = self.import_against((413, {"error": "The content is too large."}, {}))
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(Document.objects.filter(title="a.md").exists())


class CollaborationAuth(WithPeople):
    def ask(self, url, user=None):
        if user:
            self.client.force_login(user)
        return self.client.get("/api/v1.0/documents/collaboration-auth/", HTTP_X_ORIGINAL_URL=url)

    def test_it_is_off_by_default(self):
        self.assertEqual(self.ask(f"/collaboration/ws/{self.document.pk}", self.alice).status_code, 404)

    @override_settings(COLLABORATION_AUTH_REQUEST=True)
    def test_access_is_granted(self):
        for user, can_edit in ((self.alice, "True"), (self.bob, "False")):
            for url in (
                "/collaboration/ws/{}",
                "/collaboration/ws/?room={}",
                "https://a.example/collaboration/ws/{0}?room={0}",
            ):
                answer = self.ask(url.format(self.document.pk), user)
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(answer["Authorization"], settings.COLLABORATION_SERVER_SECRET)
                self.assertEqual((answer["X-User-Id"], answer["X-Can-Edit"]), (str(user.pk), can_edit))
                self.assertEqual(answer["X-Session-Key"], self.client.session.session_key)
                self.assertIn("no-store", answer["Cache-Control"])

    @override_settings(COLLABORATION_AUTH_REQUEST=True)
    def test_access_is_denied(self):
        self.assertEqual(self.ask(f"/collaboration/ws/{self.document.pk}").status_code, 401)
        answer = self.ask(f"/collaboration/ws/{self.document.pk}", self.carol)
        self.assertEqual(answer.status_code, 403)
        self.assertNotIn("Authorization", answer.headers)

    @override_settings(COLLABORATION_AUTH_REQUEST=True)
    def test_urls_that_do_not_name_exactly_one_document(self):
        room, other = self.document.pk, uuid4()
        for url in (
            "",
            "/collaboration/ws/",
            f"/elsewhere/{room}",
            f"/collaboration/ws/{room}?room={other}",
            f"/collaboration/ws/?room={room}&room={other}",
            f"/collaboration/ws/{other}",
            "/collaboration/ws/no-uuid",
            # Other spellings of the same UUID would be other rooms.
            f"/collaboration/ws/{str(room).upper()}",
            f"/collaboration/ws/{room.hex}",
            f"/collaboration/ws/{{{room}}}",
            f"/collaboration/ws/{room}%2F..",
        ):
            self.assertEqual(self.ask(url, self.alice).status_code, 403, url)


class Pages(WithPeople):
    def test_pages(self):
        page = f"/documents/{self.document.pk}/"
        self.assertRedirects(self.client.get(page), f"/login/?next={page}")
        self.client.force_login(self.bob)
        self.assertContains(self.client.get("/"), "Plan")
        self.assertNotContains(self.client.get(page), 'id="share"')
        self.client.force_login(self.alice)
        self.assertContains(self.client.get(page), 'id="share"')
        answer = self.client.post("/", {"title": "Another"})
        self.assertRedirects(answer, f"/documents/{Document.objects.get(title='Another').pk}/")
        self.client.force_login(self.carol)
        self.assertEqual(self.client.get(page).status_code, 403)
        self.assertRedirects(self.client.post("/logout/"), "/login/")
