"""Audio language models, in process and on servers: labels, emotion, descriptions, words."""
