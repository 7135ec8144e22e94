"""Networks, trained with torch."""
