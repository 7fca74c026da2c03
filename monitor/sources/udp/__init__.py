"""A microphone that sends its sound in encrypted datagrams."""
