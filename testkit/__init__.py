"""What tests and benchmarks share: real brokers, servers, sound cards, and builders of sounds and messages."""
