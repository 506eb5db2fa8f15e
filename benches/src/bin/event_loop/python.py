"""Times a loop of Python: reads lines of a workload and a number of items, and answers how many nanoseconds these took."""

import asyncio
import sys
import threading
import time

LIVE = 100_000
TASKS = 1000
FAR = 3600


def times(loop, items):
    far = loop.time() + FAR
    return [far + item * 0x9E3779B97F4A7C15 % 2**64 % 1_000_000_000 / 1e9 for item in range(items)]


def called():
    pass


def call_soon(loop, items):
    start = time.perf_counter_ns()
    for _ in range(items):
        loop.call_soon(called)
    loop.call_soon(loop.stop)
    loop.run_forever()
    return time.perf_counter_ns() - start


def chain(loop, items):
    def link(left):
        if left:
            loop.call_soon(link, left - 1)
        else:
            loop.stop()

    start = time.perf_counter_ns()
    link(items)
    loop.run_forever()
    return time.perf_counter_ns() - start


def take_back(loop, handles):
    for handle in handles:
        handle.cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()


def insert(loop, items):
    ats = times(loop, items)
    handles = []
    start = time.perf_counter_ns()
    for at in ats:
        handles.append(loop.call_at(at, called))
    took = time.perf_counter_ns() - start
    take_back(loop, handles)
    return took


def churn(loop, items):
    handles = [loop.call_at(at, called) for at in times(loop, LIVE)]
    ats = times(loop, items)
    start = time.perf_counter_ns()
    for item, at in enumerate(ats):
        place = item % LIVE
        handles[place].cancel()
        handles[place] = loop.call_at(at, called)
        if item % 1024 == 0:
            loop.call_soon(loop.stop)
            loop.run_forever()
    took = time.perf_counter_ns() - start
    take_back(loop, handles)
    return took


async def number(item):
    return item & 1


def join(loop, items):
    async def all_of_them():
        tasks = [loop.create_task(number(item)) for item in range(items)]
        return sum([await task for task in tasks])

    start = time.perf_counter_ns()
    assert loop.run_until_complete(all_of_them()) == items // 2
    return time.perf_counter_ns() - start


async def yielding(turns):
    for _ in range(turns):
        await asyncio.sleep(0)


def yields(loop, items):
    async def all_of_them():
        for task in [loop.create_task(yielding(items // TASKS)) for _ in range(TASKS)]:
            await task

    start = time.perf_counter_ns()
    loop.run_until_complete(all_of_them())
    return time.perf_counter_ns() - start


def promise(loop, items):
    def done(answer):
        answer.result()

    start = time.perf_counter_ns()
    for item in range(items):
        answer = loop.create_future()
        answer.add_done_callback(done)
        answer.set_result(item)
        if item % 1000 == 999:
            loop.call_soon(loop.stop)
            loop.run_forever()
    loop.call_soon(loop.stop)
    loop.run_forever()
    return time.perf_counter_ns() - start


def threadsafe(loop, items):
    def call():
        for _ in range(items - 1):
            loop.call_soon_threadsafe(called)
        loop.call_soon_threadsafe(loop.stop)

    start = time.perf_counter_ns()
    thread = threading.Thread(target=call)
    thread.start()
    loop.run_forever()
    took = time.perf_counter_ns() - start
    thread.join()
    return took


def main():
    if sys.argv[1] == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    for line in sys.stdin:
        what, items = line.split()
        print(globals()[what](loop, int(items)), flush=True)


main()
