"""A network of one's own: the machine of the agents, and behind a virtual cable that of the first collector. Both end
with the processes that live on them."""
import os
import shutil
import subprocess
import sys

HERE = "10.77.1.1"
THERE = "10.77.1.2"
INSIDE = "STANDPIPE_HA_NETWORK"


def enter():
    """Runs this program again in a network namespace of its own; returns there, or here with the reason why not."""
    if INSIDE in os.environ:
        ip("link", "set", "lo", "up")
        return None
    for tool in ("ip", "unshare", "nsenter"):
        if not shutil.which(tool):
            return f"'{tool}' is missing"
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--user", "--map-root-user"]
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"no network namespace: {tried.stderr.strip()}"
    sys.stdout.flush()
    os.execvpe(unshare[0], [*unshare, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=30)


class Machine:
    """The first collector's, and the cable to it. Link down at this end: the system here knows that there is no way; down
    at the other end: packets vanish."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.prefix = ["nsenter", "--target", str(self.holder.pid), "--net"]
        self.wait_until_apart()
        ip("link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", str(self.holder.pid))
        ip("address", "add", f"{HERE}/24", "dev", "cable")
        self.inside("address", "add", f"{THERE}/24", "dev", "cable")
        self.inside("link", "set", "lo", "up")
        self.join()

    def wait_until_apart(self):
        """Until the holder has left our network."""
        ours = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == ours:
            assert self.holder.poll() is None, "unshare ended"

    def inside(self, *arguments):
        subprocess.run([*self.prefix, "ip", *arguments], check=True, capture_output=True, timeout=30)

    def part(self, at_this_end):
        (ip if at_this_end else self.inside)("link", "set", "cable", "down")

    def join(self):
        ip("link", "set", "cable", "up")
        self.inside("link", "set", "cable", "up")

    def end(self):
        self.holder.stdin.close()
        self.holder.wait(30)
