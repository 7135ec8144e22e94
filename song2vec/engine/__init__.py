"""The engine: catalogue, vectors, index and next-song model in one object and one saved folder; what most users hold."""

from song2vec.engine.engine import Engine
from song2vec.engine.parts import EngineInfo

__all__ = ["Engine", "EngineInfo"]
