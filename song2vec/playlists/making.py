"""Playlists: songs that go on from others; the best each time, drawn at random, or what makes the best whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, get_args

import numpy as np

from song2vec.catalogue import SongId
from song2vec.core.arrays import Array
from song2vec.core.checks import check_choice, check_int, named_options
from song2vec.core.config import Config, FloatRange, IntRange, setting
from song2vec.core.errors import NothingLeftError
from song2vec.core.random import generator
from song2vec.playlists.files import Playlist
from song2vec.playlists.rules import PlaylistRules
from song2vec.playlists.scoring import RankingModel, ScoreAdjustments, Scorer
from song2vec.search.listeners import Listener
from song2vec.vectors.song_vectors import SongVectors

Method = Literal["greedy", "sample", "beam"]


class Sampling(Config):
    """A song is drawn with a chance in proportion to exp(score / temperature).

    Near a temperature of 0 the best song always comes, at 1 the song of rank r with a chance in proportion to 1 / r.
    """

    temperature: float = setting(FloatRange(0, above=True), default=0.5, help="low is near greedy, high is adventurous")
    top_k: int | None = setting(IntRange(1), default=None, help="draw among the k best only; None for all")
    top_p: float | None = setting(
        FloatRange(0, 1, above=True), default=None, help="draw among the fewest best whose chances add up to this (Holtzman et al. 2020)"
    )

    def chances(self, scores: Array) -> Array:
        """Chances of songs by their descending scores, (n,) float64 that add up to 1; those cut off are left out of n."""
        chances: Array = np.exp((scores[: self.top_k] - scores[0]) / self.temperature)
        chances /= chances.sum()
        if self.top_p is not None:
            kept = int(np.searchsorted(np.cumsum(chances), self.top_p - 1e-12)) + 1  # rounding must not let one more in
            chances = chances[:kept] / chances[:kept].sum()
        return chances

    def draw(self, scores: Array, random: np.random.Generator) -> int:
        """The position of one song, by descending scores."""
        return int(random.choice(len(chances := self.chances(scores)), p=chances))


class Picks(NamedTuple):
    """Songs picked so far: their rows, and the score each had when it was picked."""

    rows: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def total(self) -> float:
        """The sum of the scores."""
        return sum(self.scores)


def beam_search(
    scorer: Scorer, history: list[int], start: int, length: int, width: int, choose: Callable[[Array], Iterable[int]] | None = None
) -> Picks:
    """Of many playlists grown side by side the one of the highest total score; shorter when all of them end early.

    The greedy playlist always stays among them, so the total is never below that of picking the best song each time, unless
    that runs out of songs.

    Args:
        choose: which songs each of them goes on with, by their descending scores; the ``width`` best where None.
    """
    beam, greedy = [Picks()], Picks()
    for _ in range(length):
        found = scorer.score([[*history, *picks.rows] for picks in beam], start)
        grown = [
            Picks((*picks.rows, int(rows[place])), (*picks.scores, float(scores[place])))
            for picks, (rows, scores) in zip(beam, found, strict=True)
            if len(rows)
            for place in (range(min(width, len(rows))) if choose is None else choose(scores))
        ]
        if not grown:
            break
        greedy = next((picks for picks in grown if picks.rows[:-1] == greedy.rows), greedy)
        beam = sorted(grown, key=lambda picks: -picks.total)[:width]
        if greedy in grown and greedy not in beam:
            beam[-1] = greedy
    return max(beam, key=lambda picks: picks.total)


@named_options
def playlist(
    model: RankingModel,
    seed_songs: SongId | Iterable[SongId] = (),
    length: int = 25,
    *,
    history: Iterable[SongId] = (),
    vectors: SongVectors | None = None,
    listener: SongId | Listener | None = None,
    listener_weight: float = 1.0,
    method: Method = "greedy",
    beam_width: int = 8,
    temperature: float = 0.5,
    top_k: int | None = None,
    top_p: float | None = None,
    artist_gap: int = 0,
    max_per_artist: int | None = None,
    repeat_gap: int | None = None,
    exclude: Iterable[SongId] = (),
    diversity: float = 0.0,
    popularity: float = 0.0,
    shorter: bool = False,
    with_seed_songs: bool = False,
    seed: int = 0,
) -> Playlist:
    """A playlist that goes on from some songs.

    A song's score is -ln(its rank by the model among the songs that may come), 0 for the best and -.7 for the second, and
    what the adjustments add to it (see :class:`song2vec.playlists.scoring.ScoreAdjustments`).

    Args:
        model: says what comes next: a fitted next-song model; or song vectors, which rank songs by their cosine with the
            mean of what came before, later songs weighing more.
        seed_songs: the song or songs to go on from, the beginning of the playlist.
        length: how many songs to pick beyond the seed songs.
        history: songs played before the playlist; they say what comes next and count for the gaps, not for the cap.
        vectors: song vectors, for the listener, diversity and the reasons; those of the model, when it has some.
        listener: anybody, by what they played, as :func:`song2vec.listener` makes them: songs near their vector score higher, a
            recurrent model goes on from their plays, and without seed songs and history their vector stands for these. Or, by id, a
            listener whom the model learned from.
        listener_weight, diversity, popularity: weights of the adjustments.
        method: "greedy" picks the best song each time; "sample" draws by ``temperature``, ``top_k`` and ``top_p``
            (see :class:`song2vec.playlists.making.Sampling`); "beam" grows ``beam_width`` playlists side by side for the
            highest sum of scores, which pays where rules or adjustments make one pick spoil the next.
        artist_gap, max_per_artist, repeat_gap: rules, never broken; see :class:`song2vec.playlists.rules.PlaylistRules`.
            No song comes twice unless ``repeat_gap`` says after how many others it may.
        exclude: songs never to play.
        shorter: True returns what was found when the rules leave nothing more to pick.
        with_seed_songs: True puts the seed songs ahead of the picks in the table, with neither score nor reason.
        seed: of the drawing; the same seed gives the same playlist.

    Raises:
        NothingLeftError: the rules leave no song before ``length`` are picked; says how many were, and which rules.
        UnknownSongError: a song is not among the model's.
        ArgumentError: a value that is not allowed, or an adjustment that lacks vectors or plays.
    """
    check_choice("method", method, get_args(Method))
    check_int("length", length)
    check_int("beam_width", beam_width)
    sampling, random = Sampling(temperature=temperature, top_k=top_k, top_p=top_p), generator(seed, "playlist")
    rules = PlaylistRules(artist_gap=artist_gap, max_per_artist=max_per_artist, repeat_gap=repeat_gap)
    adjustments = ScoreAdjustments(listener_weight=listener_weight, diversity=diversity, popularity=popularity)
    scorer = Scorer(model, vectors, rules, adjustments, listener=listener, exclude=exclude)
    before, start = scorer.start(seed_songs, history)
    draw = (lambda scores: [sampling.draw(scores, random)]) if method == "sample" else None
    picks = beam_search(scorer, before, start, length, beam_width if method == "beam" else 1, draw)
    if len(picks.rows) < length and not shorter:
        kept_back = scorer.constraints.why_nothing([*before, *picks.rows], start)
        raise NothingLeftError(
            f"length={length}: only {len(picks.rows)} found, then none of the {len(scorer.catalogue):,} songs is left; kept back are "
            f"{kept_back}; loosen these, or ask for a shorter one (shorter)"
        )
    lead = before[start:] if with_seed_songs else []
    rows = [*before, *picks.rows]
    reasons = [scorer.reason(row, rows[:place]) for place, row in enumerate(picks.rows, len(before))]
    table = scorer.catalogue.table([*lead, *picks.rows])
    return Playlist.of(table, [*[None] * len(lead), *picks.scores], [*[(None, None)] * len(lead), *reasons])
