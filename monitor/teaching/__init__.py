"""What a house teaches: what people said of what was heard becomes a suggestion, which a person takes or not.

Nothing here changes what is in force; `monitor.config.overrides` does, when somebody asks it to.
"""
