"""Recurrent recommender networks: states of listeners and songs that go on from period to period. Needs torch; loaded by name."""
