"""Say which system package is missing before pip fails on a page of compiler output. Runs on any Python 3."""

import importlib.util
import os
import shutil
import sys
import sysconfig

WANTED = (
    (
        sys.version_info >= (3, 11),
        "Python 3.11 or later (this is {}.{}): apt-get install python3.11, or make PYTHON=/path/to/python3".format(*sys.version_info[:2]),
    ),
    (
        importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None,
        "Python's venv module: apt-get install python3-venv",
    ),
    (
        bool(os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")),
        "a C++ compiler, because Annoy is compiled when it is installed: apt-get install g++ "
        "(Fedora: dnf install gcc-c++; macOS: xcode-select --install)",
    ),
    (
        os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")),
        "Python's headers, because Annoy is compiled when it is installed: apt-get install python3-dev (Fedora: dnf install python3-devel)",
    ),
)

missing = [package for there, package in WANTED if not there]
for package in missing:
    print("song2vec needs " + package, file=sys.stderr)
sys.exit(1 if missing else 0)
