"""What is wrong with rules beyond their grammar, and what they leave out."""
