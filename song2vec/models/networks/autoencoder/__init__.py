"""Autoencoders over bags of songs. The modules import torch, so they are loaded by name only, through ``models.MODELS``."""
