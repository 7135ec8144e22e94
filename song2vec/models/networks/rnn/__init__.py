"""Recurrent next-song models. Their modules import torch, so they are loaded by name only, through ``models.MODELS``."""
