"""Custom models' way through Querent: accepted, checked, compared, promoted, watched, rolled back."""
