"""Listens cut into sessions: the sentences whose words are songs."""

from song2vec.sessions.cut import cut_sessions
from song2vec.sessions.sessions import CutReport, Sessions, check_sessions

__all__ = ["CutReport", "Sessions", "check_sessions", "cut_sessions"]
