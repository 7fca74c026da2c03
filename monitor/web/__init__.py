"""The page: what the house heard, why, and what people say of it. One thread; nothing depends on it."""
