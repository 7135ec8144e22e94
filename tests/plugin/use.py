"""Uses the package as anybody would who has installed it beside song2vec; run by tests/test_plugin.py."""

from pathlib import Path

import song2vec as s2v
from song2vec.listens import READERS
from song2vec.models import MODELS
from song2vec.search import INDEXES
from song2vec.testing import check_index, check_learner, check_model, check_reader, listen
from song2vec.vectors import LEARNERS

LOG = {"log.txt": b"JUKEBOX 1\n" + b"".join(b"Low|Monkey %d|%d\n" % (song, 1_600_000_000 + 200 * song) for song in range(9))}
network = MODELS.make("running-mean", {"size": 16, "batch_size": 8, "learning_rate": 0.1, "epochs": 8, "workers": 1, "progress": False})
learner, index = LEARNERS.make("company"), INDEXES.make("sorting")

Path("log.txt").write_bytes(LOG["log.txt"])
print(s2v.read_listens("log.txt"))

train, test = listen("follows", 0.8)
network.fit(train)
print(s2v.compare([s2v.Popularity().fit(train), network], test, k=5))
again = s2v.NextSongModel.load(network.save("network"))
assert again.next([3], 5).equals(network.next([3], 5))

engine = s2v.Engine.train(train, vectors="company", index="sorting", next_song=network)
loaded = s2v.Engine.load(engine.save("engine"))
assert loaded.similar(3, k=5).equals(engine.similar(3, k=5))
assert loaded.next([3], k=5)["song"].to_list() == network.next([3], 5)["song"].to_list()
print(loaded)

check_reader(READERS.make("jukebox"), LOG)
check_index(index)
check_learner(learner)
check_model(network.replaced({}), learns="follows")
print("all of it keeps the contracts")
