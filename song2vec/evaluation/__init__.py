"""Evaluation: every model of the house under one protocol, in one table, with intervals."""
