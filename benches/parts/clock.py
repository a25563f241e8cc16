"""How long a process takes, and what may be said from many such times."""

import math
import os
import statistics
import time

DISCARDED = 5
"""Pairs at the start of a series that count for nothing: caches are cold, the processor is slow."""


class Failed(Exception):
    """A measured command did not do what it was asked."""


def run(words, environment, feed=None):
    """Runs a program to its end. Returns milliseconds from start to exit, its code and its standard output.

    Its output must fit into a pipe (64 KiB), so that nothing of ours runs beside it.
    """
    out, into = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, into, 1), (os.POSIX_SPAWN_CLOSE, out), (os.POSIX_SPAWN_CLOSE, into)]
    given = os.open(feed or os.devnull, os.O_RDONLY)
    actions += [(os.POSIX_SPAWN_DUP2, given, 0), (os.POSIX_SPAWN_CLOSE, given)]
    actions.append((os.POSIX_SPAWN_OPEN, 2, os.environ.get("BENCH_ERRORS", os.devnull), os.O_WRONLY | os.O_APPEND, 0))
    try:
        begun = time.perf_counter_ns()
        child = os.posix_spawn(words[0], words, environment, file_actions=actions)
        _, status = os.waitpid(child, 0)
        took = (time.perf_counter_ns() - begun) / 1e6
        os.close(into)
        into = -1
        text = os.read(out, 1 << 16)
    finally:
        os.close(out)
        os.close(given)
        if into >= 0:
            os.close(into)
    return took, os.waitstatus_to_exitcode(status), text


def checked(words, environment, feed=None):
    """As `run`, for a command that must succeed and say something."""
    took, code, text = run(words, environment, feed)
    if code != 0 or not text.strip():
        raise Failed(f"{' '.join(words)} ended with {code} and {len(text)} bytes")
    return took, text


def at_once(commands):
    """Starts all of `(words, environment)` together. Milliseconds until the last has ended, and all codes and outputs."""
    begun = time.perf_counter_ns()
    started = []
    for words, environment in commands:
        out, into = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, into, 1),
            (os.POSIX_SPAWN_CLOSE, out),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.environ.get("BENCH_ERRORS", os.devnull), os.O_WRONLY | os.O_APPEND, 0),
        ]
        started.append((os.posix_spawn(words[0], words, environment, file_actions=actions), out))
        os.close(into)
    ends = [(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), out) for child, out in started]
    took = (time.perf_counter_ns() - begun) / 1e6
    answers = []
    for code, out in ends:
        answers.append((code, os.read(out, 1 << 16)))
        os.close(out)
    return took, answers


def in_turn(ours, theirs, pairs):
    """Both of two measured things, again and again, each first in every other pair.

    Returns the milliseconds of both and the ratio of each pair, without the discarded ones.
    """
    times = []
    for number in range(pairs + DISCARDED):
        if number % 2:
            second = theirs()
            first = ours()
        else:
            first = ours()
            second = theirs()
        times.append((first, second))
    times = times[DISCARDED:]
    return [one for one, _ in times], [other for _, other in times], [one / other for one, other in times]


def share(values, part):
    """The value below which `part` of all lie (nearest rank)."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def told(values):
    """Median, p95 and least, for the report."""
    return {
        "median": round(statistics.median(values), 3),
        "p95": round(share(values, 0.95), 3),
        "least": round(min(values), 3),
        "count": len(values),
    }


def is_quiet(floor):
    """A machine on which nothing else runs: the slowest of a process that does nothing is near its median."""
    return share(floor, 0.95) < 3 * statistics.median(floor)
