"""What every room stands on: errors, configuration, checks, names, storage, randomness, progress, compiled code."""
