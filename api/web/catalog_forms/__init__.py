"""Objects of the catalog as forms, one kind per module."""
