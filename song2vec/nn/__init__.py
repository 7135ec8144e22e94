"""What all trained networks share: the one epoch loop, checkpoints, devices and threads."""
