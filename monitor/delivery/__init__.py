"""From a decision to every receiver: outbox, channels, coalescing, escalation."""
