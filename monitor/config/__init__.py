"""From a YAML file to a configuration."""
