"""The settings of the example. Those for y-provider are at the end."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.env import Env

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(BASE_DIR / ".env")

DEBUG = env.bool("DJANGO_DEBUG", default=False)
SECRET_KEY = env("DJANGO_SECRET_KEY", default="only-for-development" if DEBUG else None)
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default="localhost,127.0.0.1")

INSTALLED_APPS = [
    "collaboration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": env("DJANGO_DATABASE", default=str(BASE_DIR / "db.sqlite3")),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "documents"
LOGOUT_REDIRECT_URL = "login"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"collaboration": {"handlers": ["console"], "level": "INFO"}},
}

# For a proxy that terminates TLS and sets X-Forwarded-Proto. Without it Django redirects y-provider's calls to https.
if env.bool("DJANGO_BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# --- y-provider ---

# The same value as in y-provider's environment. The default is for development: in production neither starts with it.
COLLABORATION_SERVER_SECRET = env("COLLABORATION_SERVER_SECRET", default="my-secret")
if not DEBUG and (COLLABORATION_SERVER_SECRET == "my-secret" or len(COLLABORATION_SERVER_SECRET) < 16):
    raise ImproperlyConfigured(
        "COLLABORATION_SERVER_SECRET is the development default or shorter than 16 characters;"
        " make one with: openssl rand -hex 32"
    )

# The origins of the pages. The same value as in y-provider's environment.
COLLABORATION_SERVER_ORIGIN = env.list("COLLABORATION_SERVER_ORIGIN", default="http://localhost:3000")
CSRF_TRUSTED_ORIGINS = COLLABORATION_SERVER_ORIGIN

# The internal address at which Django reaches y-provider.
Y_PROVIDER_BASE_URL = env("Y_PROVIDER_BASE_URL", default="http://127.0.0.1:4444")
Y_PROVIDER_TIMEOUT = float(env("Y_PROVIDER_TIMEOUT", default="30"))

# The address at which browsers reach y-provider. Empty: the origin of the page, as behind nginx.
COLLABORATION_WS_URL = env("COLLABORATION_WS_URL", default="")

# How browsers authenticate: "session" (cookie or nginx's auth_request; the page sends nothing) or "ticket".
COLLABORATION_ACCESS = env("COLLABORATION_ACCESS", default="session")

# Enables the view for nginx's auth_request. Its response contains the secret, so nginx must hide it from browsers.
COLLABORATION_AUTH_REQUEST = env.bool("COLLABORATION_AUTH_REQUEST", default=False)
