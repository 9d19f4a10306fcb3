"""Takes every step with the official command line, one process a step: tccli.py PROGRAM JSON"""

import json
import re
import subprocess
import sys

import steps


def main():
    program, given = sys.argv[1], json.loads(sys.argv[2])

    def call(action, params, untyped):
        command = [program, "live", action, "--endpoint", "http://" + given["endpoint"]]
        command += ["--secretId", given["id"], "--secretKey", given["key"], "--region", "none"]
        for name, value in params.items():
            command += ["--" + name, json.dumps(value) if isinstance(value, list) else str(value)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if ended.returncode == 0:
            return json.loads(ended.stdout)
        code = re.search(r"code:\s*(\S+)", ended.stdout + ended.stderr)
        assert code, ended.stdout + ended.stderr
        raise steps.Refused(code.group(1).rstrip(","), ended.stderr)

    known = steps.names({**given, "run": "cli"})
    taken = 0
    for step in steps.load():
        # Each step is a process that takes a second to start, so this client takes each action once; and it refuses by
        # itself what it does not know, and what is missing.
        if not step.get("cli", True) or step.get("untyped"):
            continue
        steps.take(step, known, call)
        taken += 1
    print("took", taken, "steps")


main()
