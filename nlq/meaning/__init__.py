"""Meaning beyond strings: words that are near each other although no letters are, from a small table distilled from a sentence model."""
