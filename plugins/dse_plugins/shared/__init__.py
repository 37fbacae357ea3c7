"""What built-in plugins of several kinds share."""
