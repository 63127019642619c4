"""Bringing data from elsewhere into a tenant's own database: declared by an admin in typed fields, refreshed by workers."""
