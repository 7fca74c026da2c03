"""What can be asked of the page and how it is answered, subject by subject."""
