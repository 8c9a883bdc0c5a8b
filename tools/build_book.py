"""Run `make book`, once for all the test processes of one run (pytest-xdist), one at a time.

Each process starts this. The first one builds; the others wait and repeat its result: a
second build would find everything made and no warning left to give.
"""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path("_build/.result.json")


def main() -> int:
    os.chdir(ROOT)
    RESULT.parent.mkdir(exist_ok=True)
    with open("_build/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID")  # None where there is one process
        if run is None or (result := earlier_result()).get("run") != run:
            result = {"run": run} | build()
            RESULT.write_text(json.dumps(result))
    print(result["output"], end="")
    return result["returncode"]


def earlier_result() -> dict:
    return json.loads(RESULT.read_text()) if RESULT.exists() else {}


def build() -> dict:
    for name in ("MAKEFLAGS", "MAKELEVEL"):  # inherited from `make test`
        os.environ.pop(name, None)
    command = ["make", "--no-print-directory", "book"]
    made = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    return {"returncode": made.returncode, "output": made.stdout}


if __name__ == "__main__":
    sys.exit(main())
