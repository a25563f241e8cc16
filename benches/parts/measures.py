"""What is measured, one function a line of the table. Each says what was reached, against which limit, and how it came about."""

import collections
import http.client
import os
import pathlib
import pty
import re
import select
import signal
import statistics
import subprocess
import time
import urllib.parse

from . import clock
from .board import PASSPHRASE

Line = collections.namedtuple("Line", "reached gate aim unit detail")
"""One line: what was reached, the most it may be, what is aimed at; all in the same unit."""


def ratio(ours, theirs, pairs, gate, aim, peer):
    """Two things in turn; the median of the ratios of each pair."""
    one, other, each = clock.in_turn(ours, theirs, pairs)
    detail = {"toktui ms": clock.told(one), f"{peer} ms": clock.told(other)}
    return Line(statistics.median(each), gate, aim, f"x {peer}", detail)


def version(bench):
    floor = lambda: clock.checked([bench.lab.floor], bench.lab_environment)[0]
    return ratio(lambda: bench.board.asked("--version"), floor, bench.pairs * 3, 1.5, 1.3, "floor")


def listing(bench):
    floor = lambda: clock.checked([bench.lab.floor], bench.lab_environment)[0]
    return ratio(lambda: bench.board.asked("list", "--json"), floor, bench.pairs * 3, 2.0, 1.3, "floor")


def cached(bench):
    return ratio(lambda: bench.board.asked("token", "steady"), lambda: bench.agent.asked("steady"), bench.pairs * 3, 1.0, 0.8, "oidc-token")


def forced(bench):
    theirs = lambda: bench.agent.asked("steady", force=True)
    return ratio(lambda: bench.board.asked("token", "steady", "--force"), theirs, bench.pairs, 0.75, 0.65, "oidc-token")


def rotating(bench):
    theirs = lambda: bench.agent.asked("rotating", force=True)
    # The peer takes most of a second each time: half the pairs tell as much.
    return ratio(lambda: bench.board.asked("token", "rotating", "--force"), theirs, max(20, bench.pairs // 2), 0.05, 0.03, "oidc-token")


def round_trip(bench, issuer):
    """One request to a delaying issuer, from a connection that is open already: what a round trip is worth."""
    address = urllib.parse.urlsplit(bench.lab.issuers[issuer])
    connection = http.client.HTTPConnection(address.hostname, address.port)
    times = []
    for _ in range(8):
        begun = time.perf_counter_ns()
        connection.request("POST", "/token", "grant_type=refresh_token")
        connection.getresponse().read()
        times.append((time.perf_counter_ns() - begun) / 1e6)
    connection.close()
    return statistics.median(times[1:])


def all_of(bench, board, names, issuers, rounds):
    """Every account of `names` renewed by one command; milliseconds of each round, and a round trip's."""
    for issuer in issuers:
        bench.lab.front(issuer, "canned", delay=200)
    try:
        one = round_trip(bench, issuers[0])
        for issuer in issuers:
            bench.lab.counted(issuer)
        times = [board.asked("renew", *names) for _ in range(rounds + 1)][1:]
        asked = sum(bench.lab.counted(issuer)["token"] for issuer in issuers)
    finally:
        for issuer in issuers:
            bench.lab.front(issuer)
    if asked != len(names) * (rounds + 1):
        raise clock.Failed(f"{asked} requests for {len(names)} accounts in {rounds + 1} rounds")
    return times, one


def twenty(bench):
    names = [f"s{number}" for number in range(20)]
    times, one = all_of(bench, bench.board, names, [bench.slow], 10)
    bench.lab.front(bench.slow, "canned", delay=200)
    commands = [(bench.board.words("token", name, "--force"), bench.board.environment) for name in names]
    apart = [ended_well(*clock.at_once(commands)) for _ in range(5)]
    theirs = [ended_well(*clock.at_once([(bench.agent.words(name, force=True), bench.agent.environment) for name in names]))]
    bench.lab.front(bench.slow)
    detail = {
        "toktui ms": clock.told(times),
        "as 20 processes, round trips": round(statistics.median(apart) / one, 2),
        "one round trip ms": round(one, 1),
        "oidc-token ms": round(theirs[0]),
        "x oidc-token": round(statistics.median(times) / theirs[0], 3),
    }
    return Line(statistics.median(times) / one, 1.4, 1.2, "round trips", detail)


def two_hundred(bench):
    names = [f"l{number}" for number in range(200)]
    times, one = all_of(bench, bench.large, names, bench.many, 5)
    return Line(statistics.median(times) / one, 3.0, 2.3, "round trips", {"toktui ms": clock.told(times), "one round trip ms": round(one, 1)})


def beside_a_hang(bench):
    """A's cached token in turns of twenty, alone and while B's provider does not answer."""
    alone, beside = [], []
    ask = lambda: bench.board.asked("token", "steady")
    for _ in range(5):
        alone += [ask() for _ in range(25)][5:]
        bench.lab.front(bench.hanging, "hang")
        words = bench.board.words("token", "hangs", "--force")
        hung = subprocess.Popen(words, env=bench.board.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            time.sleep(0.2)
            if hung.poll() is not None:
                raise clock.Failed("the command that was to hang has ended")
            beside += [ask() for _ in range(25)][5:]
        finally:
            hung.send_signal(signal.SIGTERM)
            hung.wait()
            bench.lab.front(bench.hanging)
    return Line(statistics.median(beside) / statistics.median(alone), 1.1, 1.0, "x P1", {"alone ms": clock.told(alone), "beside ms": clock.told(beside)})


def a_hundred(bench):
    """A hundred processes want the same token, which has ended: how often the provider was asked at most, in five rounds."""
    times, requests = [], []
    for _ in range(5):
        bench.lab.front(bench.slow, "canned", expires=1)
        bench.board.do("token", "s0", "--force")
        time.sleep(1.2)
        bench.lab.front(bench.slow, "canned", delay=200)
        one = round_trip(bench, bench.slow)
        bench.lab.counted(bench.slow)
        command = (bench.board.words("token", "s0"), bench.board.environment)
        took, ends = clock.at_once([command] * 100)
        ended_well(took, ends)
        if len({text for _, text in ends}) != 1:
            raise clock.Failed("a hundred processes were told different tokens")
        times.append(took - one)
        requests.append(bench.lab.counted(bench.slow)["token"])
    bench.lab.front(bench.slow)
    bench.last_exit = Line(statistics.median(times), 250.0, 120.0, "ms after the round trip", {"ms": clock.told(times)})
    return Line(float(max(requests)), 1.0, 1.0, "requests", {"each round": requests})


def last_exit(bench):
    """The other half of the same rounds."""
    if bench.last_exit is None:
        a_hundred(bench)
    return bench.last_exit


def ended_well(took, ends):
    bad = [code for code, text in ends if code != 0 or not text.strip()]
    if bad:
        raise clock.Failed(f"{len(bad)} of {len(ends)} processes ended with {sorted(set(bad))}")
    return took


def synced(bench, *words):
    """How often a command waits for the disk, by file."""
    log = bench.lab.folder / "strace"
    strace = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,sync_file_range,msync,syncfs,sync", "-o", str(log)]
    subprocess.run([*strace, *bench.board.words(*words)], env=bench.board.environment, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    home = str(bench.board.home) + "/"
    calls = re.findall(r"(\w*sync\w*)\((?:\d+<([^>]*)>)?", log.read_text())
    return [f"{call} {path.replace(home, '')}" for call, path in calls]


def durable(bench):
    """A renewal that rotates: the intent before the request, the answer before anybody sees it, and nothing else."""
    calls = synced(bench, "token", "rotating", "--force")
    return Line(float(len(calls)), 2.0, 2.0, "syncs, intent and answer", {"calls": calls})


def unlocked(bench):
    """From the passphrase's Enter to the end of the command: the key derivation and all around it."""
    times = []
    for _ in range(9):
        bench.board.do("lock")
        child, terminal = pty.fork()
        if child == 0:
            os.execve(bench.board.binary, bench.board.words("unlock"), bench.board.environment)
        until(terminal, b":")
        time.sleep(0.1)
        begun = time.perf_counter_ns()
        os.write(terminal, PASSPHRASE.encode() + b"\r")
        until(terminal, None)
        _, status = os.waitpid(child, 0)
        times.append((time.perf_counter_ns() - begun) / 1e6)
        os.close(terminal)
        if status != 0:
            raise clock.Failed(f"unlock ended with {os.waitstatus_to_exitcode(status)}")
    return Line(statistics.median(times), 300.0, 300.0, "ms (at least 150)", {"ms": clock.told(times)})


def until(terminal, sign):
    """Reads what a program says to its terminal until a sign, or until it ends."""
    said = b""
    while select.select([terminal], [], [], 10)[0]:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            return
        said += part
        if not part or (sign and sign in said):
            return
    raise clock.Failed(f"the terminal fell silent after {said[-80:]!r}")


def binary(bench):
    size = pathlib.Path(bench.board.binary).stat().st_size / 1024
    return Line(size, 8192.0, 6144.0, "KiB", {})


ALL = {
    "P1": ("cached token", cached),
    "P2": ("forced renewal over HTTPS", forced),
    "P4": ("renewal that rotates", rotating),
    "P5": ("20 accounts, answers after 200 ms", twenty),
    "P6": ("200 accounts at 10 issuers", two_hundred),
    "P7": ("cached, another provider hangs", beside_a_hang),
    "P8": ("100 processes, one ended token", a_hundred),
    "P8t": ("the last of them", last_exit),
    "P25": ("the binary", binary),
    "P26a": ("--version", version),
    "P26b": ("list --json, 20 credentials", listing),
    "P27": ("syncs of a renewal that rotates", durable),
    "P28": ("unlock by passphrase", unlocked),
}
