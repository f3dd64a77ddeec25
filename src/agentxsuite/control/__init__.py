"""Control plane: Django apps, one noun each."""
