"""Control plane: Django apps, one noun each; `rest` is what their APIs are made of."""
