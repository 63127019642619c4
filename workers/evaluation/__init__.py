"""The verified questions run again, with the catalog as it is and as it was."""
