"""A problem evaluated in a process of its own, so that nothing a plugin does can take a study down or stop it."""
