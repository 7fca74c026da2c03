"""What scripts/check-service tries the service with."""
