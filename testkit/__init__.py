"""What tests and benchmarks share: real brokers, servers and sound cards; builders of sounds and messages."""
