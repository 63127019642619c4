"""Boards: what one holds, who may see it, its pins under its filters; as pages for e-mails and files."""
