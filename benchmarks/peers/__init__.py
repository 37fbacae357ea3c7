"""Scripts that run in environments of their own: what peers say of a macro. Each reads points and writes costs, as JSON."""
