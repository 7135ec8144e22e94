"""The part of trained next-song models that does not depend on their network. It imports torch, so it is loaded by them only."""
