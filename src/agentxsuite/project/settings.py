"""Django's settings. The embedded default (SQLite, a key file) needs no variable at all.

Every variable that an operator may set is read here and explained where it is read. PostgreSQL
means production: then nothing is guessed, and what is missing or unsafe stops the start.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from agentxsuite.project import environment as env

# Where the embedded default keeps its database and key files; made readable by its owner only.
DATA_DIR = env.data_directory("data")

# sqlite:///<path> (one process) or postgresql://<user>:<password>@<host>/<name> (any number).
DATABASES = {"default": env.database(f"sqlite:///{DATA_DIR / 'agentxsuite.sqlite3'}")}
EMBEDDED = DATABASES["default"]["ENGINE"] == env.SQLITE

# With PostgreSQL, its roles beside `app`, which is the one of DATABASE_URL: the first writes the
# record of calls, the second is for `migrate` and `retain` alone.
DATABASE_ROLES = {
    "ledger": env.database_role("DATABASE_LEDGER_URL"),
    "owner": env.database_role("DATABASE_OWNER_URL"),
}
if not EMBEDDED and DATABASE_ROLES["ledger"] is None:
    raise env.refusal("DATABASE_LEDGER_URL must be set when the database is PostgreSQL.")

# Shows stack traces to visitors; for development on the embedded default only.
DEBUG = env.flag("DEBUG")
if DEBUG and not EMBEDDED:
    raise env.refusal("DEBUG must be off when the database is PostgreSQL.")

# Signs what Django signs. Required on PostgreSQL; else made on first start as DATA_DIR/secret-key.
SECRET_KEY = env.secret_key(DATA_DIR / "secret-key", embedded=EMBEDDED)

# The address by which the world reaches this server; issuer of our tokens, audience of theirs.
PUBLIC_URL = env.public_url("http://127.0.0.1:8000")

# Host names that are answered, with commas; by default the one of PUBLIC_URL and this machine's.
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"{urlsplit(PUBLIC_URL).hostname},localhost,127.0.0.1")

# redis://<host>/<n>: shared rate limits. Without it limits are counted inside the one process.
REDIS_URL = env.text("REDIS_URL")

# Addresses that connections may reach although they are private or plain http:
# `127.0.0.1:9000`, `10.0.0.0/8`, `tools.internal:8080`, with commas.
EGRESS_ALLOW = env.words("EGRESS_ALLOW")

# The file (TOML) of commands that stdio connections may start; none when empty. The embedded
# default takes the one that `agentxsuite templates add` makes.
TEMPLATES_FILE = "stdio-templates.toml"
STDIO_TEMPLATES = env.text("STDIO_TEMPLATES")
if EMBEDDED and not STDIO_TEMPLATES and (DATA_DIR / TEMPLATES_FILE).exists():
    STDIO_TEMPLATES = str(DATA_DIR / TEMPLATES_FILE)

# The file (TOML) of outside issuers whose tokens agents may show; none when empty.
TRUSTED_ISSUERS = env.text("TRUSTED_ISSUERS")

# Addresses or networks of the proxies before this server, with commas: what they say of a caller
# (X-Forwarded-For) is believed, and what anybody else says is not.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

# The header in which such a proxy tells the client certificate it has seen; none when empty.
MTLS_HEADER = env.text("MTLS_HEADER")
if MTLS_HEADER and not TRUSTED_PROXIES:
    raise env.refusal("MTLS_HEADER is set, and TRUSTED_PROXIES does not say who may send it.")

# Whether agents without a credential may name themselves (X-Agent) in environments of type dev:
# no, embedded (on the embedded default only) or anywhere.
AGENTS_BY_NAME = env.choice("AGENTS_BY_NAME", "no", ("no", "embedded", "anywhere"))
if AGENTS_BY_NAME == "embedded" and not EMBEDDED:
    raise env.refusal("AGENTS_BY_NAME must be no, or anywhere, when the database is PostgreSQL.")

# Who may make an account: open, invite or closed. Open is for the embedded default.
REGISTRATION = env.choice(
    "REGISTRATION", "open" if EMBEDDED else "invite", ("open", "invite", "closed")
)
if REGISTRATION == "open" and not EMBEDDED:
    raise env.refusal("REGISTRATION must be invite or closed when the database is PostgreSQL.")

# What this process answers: data (calls), control (management) or all; `serve --plane` sets it.
PLANE = env.choice("PLANE", "all", ("all", "data", "control"))

# The file of the keys that sign agents' tokens.
TOKEN_KEYS = env.key_file("TOKEN_KEYS", DATA_DIR / "token-keys.json")

# The file of the keys that encrypt the keys of stored secrets, or `env:<variable>` that holds them.
SECRET_KEYS = env.key_source("SECRET_KEYS", DATA_DIR / "secret-keys.json")

ROOT_URLCONF = "agentxsuite.project.urls"
ASGI_APPLICATION = "agentxsuite.project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "tenancy.User"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "knox",
    "oauth2_provider",
    "agentxsuite.control.storage",
    "agentxsuite.control.tenancy",
    "agentxsuite.control.secretstore",
    "agentxsuite.control.catalog",
    "agentxsuite.control.agents",
    "agentxsuite.control.policies",
    "agentxsuite.control.runs",
    "agentxsuite.control.audit",
    "agentxsuite.control.oauth",
    "agentxsuite.console",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",  # for pages; the REST API takes no cookie
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# A defect of ours is told on stderr, as uvicorn tells everything else; Django alone would mail it.
LOGGING_CONFIG = "agentxsuite.project.logs.configure"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "defects": {"class": "logging.StreamHandler", "level": "ERROR"},
        "warnings": {"class": "logging.StreamHandler"},
    },
    "loggers": {
        "django.request": {"handlers": ["defects"]},
        "py.warnings": {"handlers": ["warnings"]},  # logging would give it a handler that is silent
    },
}

TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "/static/"

# What browsers are given: with https, cookies that no neighbouring host can set.
HTTPS = PUBLIC_URL.startswith("https:")
SESSION_COOKIE = "__Host-agentxsuite" if HTTPS else "agentxsuite"
CSRF_COOKIE_NAME = "__Host-agentxsuite-form" if HTTPS else "agentxsuite-form"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_AGE = None  # until the browser is closed
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(PUBLIC_URL))]
CSRF_FAILURE_VIEW = "agentxsuite.console.pages.stale"

PASSWORD_HASHERS = [
    "agentxsuite.control.tenancy.passwords.Argon2id",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "agentxsuite.project.openapi.operations.Operation",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS: what can be done is told by the description
    "EXCEPTION_HANDLER": "agentxsuite.control.rest.answers.problem_handler",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["agentxsuite.control.rest.bodies.ExactJSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "agentxsuite.control.tenancy.authentication.LoginTokenAuthentication"
    ],
}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=14),
    "TOKEN_LIMIT_PER_USER": None,
    "AUTO_REFRESH": False,
}
# The authorization server that MCP clients log in at (docs/login.md), by RFC 9700 throughout.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth.Client"
OAUTH2_PROVIDER_GRANT_MODEL = "oauth.Code"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth.AccessToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oauth.RefreshToken"  # noqa: S105 - as above
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "agentxsuite.control.oauth.server.Server",
    "OAUTH2_VALIDATOR_CLASS": "agentxsuite.control.oauth.validator.Validator",
    "SCOPES_BACKEND_CLASS": "agentxsuite.control.oauth.scopes.Scopes",
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 15 * 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 60 * 60,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],  # http to the person's own machine only
    "ALLOW_LOCALHOST_LOOPBACK": True,
    "CIMD_ENABLED": True,
    "CIMD_METADATA_FETCHER": "agentxsuite.control.oauth.documents.Fetcher",
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}
SILENCED_SYSTEM_CHECKS = ["oauth2_provider.W008"]  # http: clients are held to loopback addresses
SPECTACULAR_SETTINGS = {
    "TITLE": "AgentxSuite",
    "DESCRIPTION": "The one governed door in front of your MCP servers. Lists come in pages;"
    " every refusal is a problem document (RFC 9457) with a steady `code`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/", "description": "This server."}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["agentxsuite.project.openapi.document.complete"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # asks nobody else
}
