"""What several built-in compressors share."""
