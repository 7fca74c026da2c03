"""What helps whoever helps: how a daemon is set up and how it is, without anybody's secrets."""
