"""What the runners share: the steps that every client takes, with names filled in and answers looked at."""

import json
import os
import time


def load(path=os.path.join(os.path.dirname(os.path.abspath(__file__)), "steps.json")):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def names(given):
    """The values of `$name` in the steps."""
    clock = time.time()
    utc = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    return {**given, "start": utc(clock - 3600), "now": utc(clock), "soon": utc(clock + 60)}


def fill(value, known):
    if isinstance(value, dict):
        return {key: fill(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, known) for inner in value]
    if isinstance(value, str):
        if value.startswith("$") and value[1:] in known:
            return known[value[1:]]
        for name in sorted(known, key=len, reverse=True):
            value = value.replace("$" + name, str(known[name]))
    return value


def at(answer, path):
    for part in path.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


def check(step, answer, known):
    """Holds an answer against a step, and keeps what later steps need."""
    for path, wanted in step.get("expect", {}).items():
        found = at(answer, path)
        wanted = fill(wanted, known)
        assert found == wanted, "%s: %s is %r, not %r" % (step["action"], path, found, wanted)
    if "some" in step:
        assert answer[step["some"]], "%s: no %s" % (step["action"], step["some"])
    for name, path in step.get("keep", {}).items():
        known[name] = at(answer, path)


def take(step, known, call):
    """Takes one step: `call(action, params, untyped)` gives the answer, or raises `Refused`."""
    params = fill(step["params"], known)
    try:
        answer = call(step["action"], params, step.get("untyped", False))
    except Refused as refused:
        assert step.get("error") == refused.code, "%s %s: %s" % (step["action"], params, refused)
        return
    assert "error" not in step, "%s %s was not refused: %s" % (step["action"], params, answer)
    check(step, answer, known)


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__("%s: %s" % (code, message))
        self.code = code
