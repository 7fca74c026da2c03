"""What survives a restart in files of its own: settings, and alerts that nobody has acknowledged."""
