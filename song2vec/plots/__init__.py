"""Drawing only: tables of songs with coordinates -> pictures and pages. Knows no vectors."""
