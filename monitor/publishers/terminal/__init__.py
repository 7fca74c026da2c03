"""Events as lines on a terminal."""
