"""What learners come to in other processes, whose strings hash differently: ``python -m tests.vectors.elsewhere FOLDER`` prints it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from song2vec.vectors import Doc2Vec, Word2Vec
from tests.vectors.planted import LEARNING
from tests.vectors.test_word2vec import KINDS, SMALL, fingerprint, planted


def told(learner):
    """All that a Doc2Vec says, in a line."""
    return f"{fingerprint(learner.vectors_)} {fingerprint(learner.document_vectors_)} {learner.infer(planted(1)[0]).tobytes().hex()}"


def learners_of(kinds, folder):
    """Of each kind a learner as it was saved in the folder; what ``fit`` comes to where it is not there yet."""
    for algorithm, loss in kinds:
        path = Path(folder) / f"{algorithm} {loss}"
        if not path.exists():
            Word2Vec(**SMALL, algorithm=algorithm, loss=loss).fit(planted(50)).save(path)
        yield path.name, Word2Vec.load(path)


def come_to(folder):
    """Of word2vec and of Doc2Vec what they learn, of each saved learner what it goes on to."""
    found = {"word2vec": fingerprint(Word2Vec(**SMALL).fit(planted(50)).vectors_)}
    found["doc2vec"] = told(Doc2Vec(**LEARNING | {"size": 8, "epochs": 2}).fit(planted(50)))
    return found | {name: fingerprint(one.fit_more(planted(20, seed=1)).vectors_) for name, one in learners_of(KINDS, folder)}


def in_other_processes(folder):
    """Of two processes side by side, with other hashes of strings, what :func:`come_to` says."""
    list(learners_of(KINDS, folder))
    command = [sys.executable, "-m", "tests.vectors.elsewhere", str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment | {"PYTHONHASHSEED": salt}) for salt in "12"]
    return [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]


if __name__ == "__main__":
    print(json.dumps(come_to(sys.argv[1])))
