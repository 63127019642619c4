"""The semantic catalog of one tenant: what its tables mean."""
