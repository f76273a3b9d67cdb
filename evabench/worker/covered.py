"""Which lines of a checkout the runs of some cells execute: `PYTHON -P .../worker/covered.py PACKAGE ASKED ANSWER`.

It is a process of its own, because tracing slows down what it traces. PACKAGE is the evabench that makes the runs, of
whichever side; it is imported behind the start of coverage.py, so that what runs at import counts too. ASKED is JSON,
{"folder": ..., "requests": [[context, request], ...]}; ANSWER is {context: {file: [line, ...]}}, with files
as seen from the folder. The context of what ran at import is "".
"""

import importlib.util
import json
import sys
from pathlib import Path

import coverage


def main(package: Path, asked: Path, answer: Path) -> None:
    """Make every run in this process, and write what each has executed."""
    question = json.loads(asked.read_text(encoding="utf-8"))
    folder = Path(question["folder"])
    tracer = coverage.Coverage(data_file=None, config_file=False, include=[f"{folder}/*"], messages=False)
    tracer.start()
    _load(package)
    from evabench.records.codec import decode
    from evabench.records.request import Request
    from evabench.worker.main import perform

    contexts = [""]
    for context, request in question["requests"]:
        contexts.append(context)
        tracer.switch_context(context)
        perform(decode(Request, request))
    tracer.stop()
    data = tracer.get_data()
    found: dict[str, dict[str, list[int]]] = {}
    for context in dict.fromkeys(contexts):
        data.set_query_context(context)
        lines = {file: sorted(data.lines(file) or ()) for file in data.measured_files()}
        found[context] = {str(Path(file).relative_to(folder)): each for file, each in lines.items() if each}
    answer.write_text(json.dumps(found), encoding="utf-8")


def _load(package: Path) -> None:
    """Import the package, by the file that starts its launch server."""
    spec = importlib.util.spec_from_file_location("start_of_a_server", package / "worker" / "start.py")
    assert spec
    assert spec.loader
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    start.load_package()


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:4]))
