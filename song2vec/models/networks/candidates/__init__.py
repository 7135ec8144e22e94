"""The candidate network. The modules import torch, so they are loaded by name only, through ``models.MODELS``."""
