"""Rules on the page: as sentences, as templates, edited and tried."""
