"""Server-rendered pages; they call the control plane's services and hold no rows of their own."""
