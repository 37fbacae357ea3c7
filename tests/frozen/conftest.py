"""Keep pytest from collecting the frozen packages: their own tests run in an environment of their own."""

collect_ignore_glob = ["v*"]
