"""Digests: what one should know, by e-mail and in the page, when there is something worth saying."""
