#!/usr/bin/env python3
"""ctrl_c_test.py PROGRAM: the main job without --for, ended by Ctrl-C that is pressed again and again: it reconciles all the
same, and leaves no agent behind."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    run = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("run.py"), "--directory", folder],
                           env={**os.environ, "STANDPIPE_PROGRAM": sys.argv[1]}, stdout=subprocess.PIPE, text=True)
    said = ""
    while "events/s" not in said:
        line = run.stdout.readline()
        assert line, f"it ended by itself:\n{said}"
        said += line
    presses = 0
    while run.poll() is None:
        run.send_signal(signal.SIGINT)
        presses += 1
        assert presses < 1000, "it does not end"
        try:
            run.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
    said += run.stdout.read()
    assert run.returncode == 0 and "every line was stored once" in said, f"exit status {run.returncode}:\n{said}"
    left = subprocess.run(["pgrep", "-f", f"conf-file {folder}/"], capture_output=True, text=True, check=False).stdout
    assert not left, f"an agent is left behind: {left}"
