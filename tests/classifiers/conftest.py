"""The tests of this folder never ask the Hugging Face hub: every model is built here and read from disk."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
