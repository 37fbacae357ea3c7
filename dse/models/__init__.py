"""Base models and tasks: read, trained, and run as crossbars compute them."""
