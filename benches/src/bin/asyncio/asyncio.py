"""Calls a decorated function many times at once, and prints its figures as one line of JSON.

Arguments: the event loop, the body, how many calls, the limit, how many calls to warm up with.
"""

import asyncio
import functools
import json
import platform
import sys
import time

if sys.argv[1] == "uvloop":
    import uvloop

running = 0
most_at_once = 0


def concurrency_limit(limit):
    semaphore = asyncio.Semaphore(limit)

    def decorate(function):
        @functools.wraps(function)
        async def limited(*args, **kwargs):
            async with semaphore:
                return await function(*args, **kwargs)

        return limited

    return decorate


async def empty(value):
    global running, most_at_once
    running += 1
    if running > most_at_once:
        most_at_once = running
    running -= 1
    return value


async def sleeping(value):
    global running, most_at_once
    running += 1
    if running > most_at_once:
        most_at_once = running
    await asyncio.sleep(0.001)
    running -= 1
    return value


def peak_memory():
    """Returns the most KiB that this process ever used, or None where the system does not say."""
    # Not `ru_maxrss`, which begins with the memory of the process that started this one.
    try:
        with open("/proc/self/status") as status:
            lines = [line.split() for line in status if line.startswith("VmHWM:")]
        return int(lines[0][1])
    except (OSError, IndexError, ValueError):
        return None


async def lone_sleep():
    """Returns the milliseconds that a sleep of one takes when there is nothing else to do."""
    start = time.perf_counter()
    for _ in range(50):
        await asyncio.sleep(0.001)
    return (time.perf_counter() - start) / 50 * 1e3


async def main():
    body = {"empty": empty, "sleep": sleeping}[sys.argv[2]]
    calls, limit, warm_up = map(int, sys.argv[3:6])
    before = peak_memory()
    alone = await lone_sleep() if body is sleeping else None
    # Made here and not above, because before Python 3.10 a semaphore belonged to the event loop
    # that it was made in.
    limited = concurrency_limit(limit)(body)
    await asyncio.gather(*(limited(value) for value in range(warm_up)))
    start = time.perf_counter()
    results = await asyncio.gather(*(limited(value) for value in range(calls)))
    seconds = time.perf_counter() - start
    peak = peak_memory()
    versions = {platform.python_implementation(): platform.python_version()}
    if sys.argv[1] == "uvloop":
        versions["uvloop"] = uvloop.__version__
    outcome = {
        "results": len(results),
        "seconds": seconds,
        "most_at_once": most_at_once,
        "before_kib": before,
        "peak_kib": peak,
        "lone_sleep_ms": alone,
        "versions": versions,
    }
    print(json.dumps(outcome))


if sys.argv[1] == "uvloop":
    uvloop.run(main())
else:
    asyncio.run(main())
