"""Django's commands, as this program needs them."""
