"""Where everything meets: settings, URLs, the ASGI application, the entry point."""
