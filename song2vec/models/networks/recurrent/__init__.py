"""What recurrent networks share. The modules import torch, so they are loaded by name only, through ``models.MODELS``."""
