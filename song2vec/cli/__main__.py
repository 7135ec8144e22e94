"""``python -m song2vec.cli``."""

from song2vec.cli import main

main()
