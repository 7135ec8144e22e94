"""Listens cut into sessions: the sentences whose words are songs."""

from song2vec.sessions.cut import cut_sessions
from song2vec.sessions.sessions import CutReport, Sessions

__all__ = ["CutReport", "Sessions", "cut_sessions"]
