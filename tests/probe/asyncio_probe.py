"""The questions of this folder, asked of asyncio: one line an answer, `name: answer`, or `name? least version`."""

import asyncio
import sys

QUESTIONS = []


def question(name, since=(3, 11)):
    def add(ask):
        QUESTIONS.append((name, since, ask))
        return ask

    return add


class Log(list):
    def say(self, what):
        self.append(str(what).lower() if isinstance(what, bool) else str(what))


def turn(lp, log):
    lp.stop()
    lp.run_forever()
    log.say("|")


def wait(lp, millis):
    lp.run_until_complete(asyncio.sleep(millis / 1000))


def said(ask):
    try:
        result = ask()
        if asyncio.iscoroutine(result):
            result.close()
        return "taken"
    except RuntimeError:
        return "refused"


def fail(text="no"):
    raise ValueError(text)


# The queue


@question("AL1 first in, first out")
def _(lp, log):
    for name in "abc":
        lp.call_soon(log.say, name)
    turn(lp, log)


@question("AL1 nothing runs twice")
def _(lp, log):
    lp.call_soon(log.say, "a")
    turn(lp, log)
    turn(lp, log)


@question("AL2 what an item queues comes in the next turn")
def _(lp, log):
    def a():
        log.say("a")
        lp.call_soon(log.say, "c")

    lp.call_soon(a)
    lp.call_soon(log.say, "b")
    turn(lp, log)
    turn(lp, log)


@question("AL2 a chain takes one turn a link")
def _(lp, log):
    def link(left):
        log.say(left)
        if left > 0:
            lp.call_soon(link, left - 1)

    lp.call_soon(link, 2)
    for _ in range(4):
        turn(lp, log)


@question("AL5 a stop finishes the batch")
def _(lp, log):
    def stops():
        lp.stop()
        lp.call_soon(log.say, "next")

    lp.call_soon(stops)
    lp.call_soon(log.say, "same")
    lp.run_forever()
    log.say("|")
    turn(lp, log)


def two_runs(lp, log):
    def two():
        log.say("two")
        lp.stop()

    def one():
        log.say("one")
        lp.call_soon(two)

    lp.call_soon(one)
    lp.run_forever()


@question("AL5 two stops are one")
def _(lp, log):
    lp.call_soon(lp.stop)
    lp.call_soon(lp.stop)
    lp.run_forever()
    two_runs(lp, log)


@question("AL6 a stop before the run gives one turn")
def _(lp, log):
    def first():
        log.say("first")
        lp.call_soon(log.say, "second")

    lp.call_soon(first)
    turn(lp, log)
    turn(lp, log)


@question("AL6 the one turn takes due timers")
def _(lp, log):
    lp.call_at(lp.time(), log.say, "due")
    turn(lp, log)


@question("AL7 the stop ends with its run")
def _(lp, log):
    lp.stop()
    lp.run_forever()
    two_runs(lp, log)


@question("AL8 a nested run is refused")
def _(lp, log):
    lp.call_soon(lambda: log.say(said(lp.run_forever)))
    lp.call_soon(log.say, "next")
    turn(lp, log)


@question("AL8 a run of another loop inside is refused")
def _(lp, log):
    other = asyncio.new_event_loop()

    async def nothing():
        pass

    def nested():
        future = nothing()
        log.say(said(lambda: other.run_until_complete(future)))
        future.close()

    lp.call_soon(nested)
    turn(lp, log)
    # The refused run left a task.
    for task in asyncio.all_tasks(other):
        task.cancel()
    other.call_soon(other.stop)
    other.run_forever()
    other.close()


async def value(what):
    return what


@question("AL9 a run gives the value of its future")
def _(lp, log):
    async def fails():
        fail("error")

    log.say(lp.run_until_complete(value(7)))
    try:
        lp.run_until_complete(fails())
    except ValueError as error:
        log.say(error)


@question("AL9 what was queued before comes before the future")
def _(lp, log):
    async def future():
        log.say("future")

    lp.call_soon(log.say, "before")
    lp.run_until_complete(future())


@question("AL9 what is ready at the end of the future still runs")
def _(lp, log):
    def following():
        log.say("next")
        lp.call_soon(log.say, "too late")

    async def future():
        log.say("future")
        lp.call_soon(following)

    lp.run_until_complete(future())
    log.say("ended")


@question("AL10 a run that was stopped keeps its task")
def _(lp, log):
    async def work():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "done"

    task = lp.create_task(work())
    lp.call_soon(lp.stop)
    try:
        lp.run_until_complete(task)
        log.say("ended")
    except RuntimeError:
        log.say("stopped")
    log.say(task.done())
    log.say(lp.run_until_complete(task))


@question("AL11 an end in the turn of a stop leaves nothing behind")
def _(lp, log):
    async def stops():
        lp.stop()

    lp.run_until_complete(stops())
    two_runs(lp, log)


@question("AL13 a close in a run is refused")
def _(lp, log):
    def closes():
        log.say(said(lp.close))
        log.say(lp.is_running())

    lp.call_soon(closes)
    turn(lp, log)
    log.say(lp.is_closed())


@question("AL13 a second close is harmless")
def _(lp, log):
    log.say(said(lp.close))
    log.say(said(lp.close))
    log.say(lp.is_closed())


@question("AL14 a closed loop refuses")
def _(lp, log):
    lp.close()
    log.say(said(lambda: lp.call_soon(print)))
    log.say(said(lambda: lp.call_later(0.001, print)))
    log.say(said(lambda: lp.call_at(lp.time(), print)))
    log.say(said(lambda: lp.call_soon_threadsafe(print)))
    log.say(said(lp.run_forever))


@question("AL24 a cancel stops what is in this batch")
def _(lp, log):
    def cancels():
        log.say("cancels")
        victim.cancel()
        victim.cancel()

    lp.call_soon(cancels)
    victim = lp.call_soon(log.say, "victim")
    lp.call_soon(log.say, "next")
    turn(lp, log)


@question("AL24 a callback may cancel itself")
def _(lp, log):
    def own():
        handle.cancel()
        log.say("goes on")

    handle = lp.call_soon(own)
    turn(lp, log)


@question("AL27 an error is told before the next item")
def _(lp, log):
    lp.call_soon(fail)
    lp.call_soon(log.say, "next")
    turn(lp, log)


@question("AL28 a fatal error leaves the run at once")
def _(lp, log):
    def fatal():
        raise SystemExit("fatal")

    lp.call_soon(fatal)
    lp.call_soon(log.say, "left")
    try:
        lp.run_forever()
    except SystemExit as error:
        log.say(error)
    turn(lp, log)


@question("AL29 a hook replaces another, and the default both")
def _(lp, log):
    for name in ["second", "third"]:
        lp.set_exception_handler(lambda *_, name=name: log.say(name))
        lp.call_soon(fail)
        turn(lp, log)


@question("AL30 a failing hook does not stop the next item")
def _(lp, log):
    def hook(*_):
        log.say("hook")
        fail("the hook itself")

    lp.set_exception_handler(hook)
    lp.call_soon(fail)
    lp.call_soon(log.say, "next")
    turn(lp, log)


@question("AL31 calls through the remote keep their place")
def _(lp, log):
    lp.call_soon(log.say, "a")
    lp.call_soon_threadsafe(log.say, "b")
    lp.call_soon(log.say, "c")
    turn(lp, log)


@question("AL36 the running loop is known inside only")
def _(lp, log):
    def known():
        try:
            asyncio.get_running_loop()
            log.say(True)
        except RuntimeError:
            log.say(False)

    known()
    lp.call_soon(known)
    turn(lp, log)
    known()


# Timers


@question("AL3 due timers come after what was ready")
def _(lp, log):
    lp.call_at(lp.time(), log.say, "timer")
    lp.call_soon(log.say, "ready")
    turn(lp, log)


@question("AL17 timers come by their time")
def _(lp, log):
    for millis, name in [(30, "c"), (10, "a"), (20, "b")]:
        lp.call_later(millis / 1000, log.say, name)
    wait(lp, 60)


@question("AL19 what is past comes by its time in the next turn")
def _(lp, log):
    now = lp.time()
    lp.call_at(now - 0.001, log.say, "late")
    lp.call_at(now - 0.010, log.say, "later")
    lp.call_soon(log.say, "ready")
    turn(lp, log)


@question("AL20 timers of one time come as they were set")
def _(lp, log):
    at = lp.time() + 0.001
    for number in range(12):
        lp.call_at(at, log.say, number)
    wait(lp, 20)


@question("AL21 a delay of zero comes after what is queued")
def _(lp, log):
    def soon():
        log.say("soon")
        lp.call_soon(log.say, "deeper")

    def first():
        lp.call_later(0, log.say, "zero")
        lp.call_soon(soon)

    lp.call_soon(first)
    wait(lp, 20)


@question("AL21 a delay of zero is not for this turn")
def _(lp, log):
    def first():
        log.say("first")
        lp.call_later(0, log.say, "zero")

    lp.call_soon(first)
    turn(lp, log)
    turn(lp, log)


@question("AL22 a timer of a year does not hold up the rest")
def _(lp, log):
    lp.call_later(365 * 86400, log.say, "year")
    lp.call_later(0.001, log.say, "soon")
    wait(lp, 20)


@question("AL23 when says the same after the fire and the cancel")
def _(lp, log):
    at = lp.time() + 0.001
    fired = lp.call_at(at, int)
    cancelled = lp.call_at(at, int)
    cancelled.cancel()
    wait(lp, 20)
    log.say(fired.when() == at)
    log.say(cancelled.when() == at)


@question("AL24 a timer cancels the next one of its batch")
def _(lp, log):
    past = lp.time() - 1

    def cancels():
        log.say("cancels")
        victim.cancel()

    lp.call_at(past, cancels)
    victim = lp.call_at(past + 0.001, log.say, "victim")
    lp.call_at(past + 0.002, log.say, "next")
    turn(lp, log)


@question("AL24 an item cancels a timer that is due next turn")
def _(lp, log):
    timer = lp.call_later(0.001, log.say, "victim")
    lp.call_soon(timer.cancel)
    wait(lp, 20)
    log.say("gone")


@question("AL26 a dropped handle takes nothing back")
def _(lp, log):
    lp.call_later(0.001, log.say, "timer")
    wait(lp, 20)


@question("AL27 an error of a timer is told before the next one")
def _(lp, log):
    lp.call_later(0.001, fail)
    lp.call_later(0.002, log.say, "next")
    wait(lp, 30)


# Futures


def outcome(ask):
    try:
        ask()
        return "value"
    except asyncio.InvalidStateError:
        return "not-ready"
    except asyncio.CancelledError:
        return "cancelled"
    except Exception:
        return "error"


@question("AF1 a new one is neither done nor cancelled")
def _(lp, log):
    future = lp.create_future()
    log.say(future.done())
    log.say(future.cancelled())


@question("AF2 the result before the end is an error")
def _(lp, log):
    future = lp.create_future()
    log.say(outcome(future.result))
    log.say(outcome(future.exception))


@question("AF3 a second result is refused")
def _(lp, log):
    future = lp.create_future()
    future.set_result(1)
    for ask in [lambda: future.set_result(2), lambda: future.set_exception(ValueError())]:
        try:
            ask()
            log.say("taken")
        except asyncio.InvalidStateError:
            log.say("refused")
    log.say(future.result())


@question("AF4 the result says the same every time")
def _(lp, log):
    future = lp.create_future()
    future.set_result(7)
    for _ in range(2):
        log.say(future.result())
        log.say(future.exception() is None)
    future = lp.create_future()
    future.set_exception(ValueError("broken"))
    for _ in range(2):
        try:
            future.result()
        except ValueError as error:
            log.say(error)


@question("AF5 a cancel counts only before the end")
def _(lp, log):
    future = lp.create_future()
    log.say(future.cancel())
    log.say(future.cancel())
    log.say(outcome(future.result))
    future = lp.create_future()
    future.set_result(1)
    log.say(future.cancel())
    log.say(outcome(future.result))


@question("AF6 callbacks are never inline")
def _(lp, log):
    future = lp.create_future()
    future.add_done_callback(lambda _: log.say("early"))
    future.set_result(None)
    future.add_done_callback(lambda _: log.say("late"))
    log.say("|")
    turn(lp, log)


@question("AF7 callbacks and tasks that wait come in their order")
def _(lp, log):
    def resolves():
        log.say("resolves")
        future.set_result(None)

    future = lp.create_future()
    future.add_done_callback(lambda _: log.say("first"))
    future.add_done_callback(lambda _: log.say("second"))
    lp.call_soon(resolves)
    lp.call_soon(log.say, "queued before")
    turn(lp, log)
    turn(lp, log)


@question("AF7 what was queued before the end comes before the callbacks")
def _(lp, log):
    def resolves():
        lp.call_soon(log.say, "before")
        future.set_result(None)
        lp.call_soon(log.say, "after")

    future = lp.create_future()
    future.add_done_callback(lambda _: log.say("callback"))
    lp.call_soon(resolves)
    turn(lp, log)
    turn(lp, log)


@question("AF8 a callback that adds one has it called next turn")
def _(lp, log):
    def first(future):
        log.say("first")
        future.add_done_callback(lambda _: log.say("added"))

    future = lp.create_future()
    future.add_done_callback(first)
    future.add_done_callback(lambda _: log.say("second"))
    future.set_result(None)
    turn(lp, log)
    turn(lp, log)


@question("AF9 a callback is removed before the end only")
def _(lp, log):
    def gone(_):
        log.say("gone")

    def stays(_):
        log.say("stays")

    future = lp.create_future()
    future.add_done_callback(gone)
    future.add_done_callback(stays)
    log.say(future.remove_done_callback(gone) == 1)
    log.say(future.remove_done_callback(gone) == 1)
    future.set_result(None)
    log.say(future.remove_done_callback(stays) == 1)
    turn(lp, log)


@question("AF10 awaiting what is done takes no turn")
def _(lp, log):
    async def waits():
        log.say(await future)

    future = lp.create_future()
    future.set_result(7)
    task = lp.create_task(waits())
    lp.call_soon(log.say, "next")
    turn(lp, log)


@question("AF12 a value after the cancel is dropped in silence")
def _(lp, log):
    future = lp.create_future()
    future.cancel()
    try:
        future.set_result(1)
    except asyncio.InvalidStateError:
        log.say("refused")
    log.say(outcome(future.result))


@question("AL27 an error of a done-callback is told before the next one")
def _(lp, log):
    future = lp.create_future()
    future.add_done_callback(lambda _: fail())
    future.add_done_callback(lambda _: log.say("next"))
    future.set_result(None)
    turn(lp, log)


@question("AF5 a cancel calls the callbacks in the next turn")
def _(lp, log):
    future = lp.create_future()
    future.add_done_callback(lambda future: log.say(outcome(future.result)))
    future.cancel()
    log.say("|")
    turn(lp, log)


# Tasks


async def forever():
    await asyncio.get_running_loop().create_future()


def end(task):
    if task.cancelled():
        return "cancelled"
    return task.exception() or task.result()


def turns(lp, log, task):
    told = []
    task.add_done_callback(told.append)
    count = 0
    while not told:
        lp.stop()
        lp.run_forever()
        count += 1
    log.say(count)


async def sleeper(log, millis):
    await asyncio.sleep(millis / 1000)
    log.say(millis)
    return millis


@question("AT1 a task does not begin inside spawn")
def _(lp, log):
    async def body():
        log.say("body")

    task = lp.create_task(body())
    log.say("spawned")
    turn(lp, log)


@question("AT2 steps and callbacks share one queue")
def _(lp, log):
    async def body(number):
        log.say(number)

    lp.call_soon(log.say, "first")
    tasks = [lp.create_task(body(number)) for number in range(10)]
    lp.call_soon(log.say, "last")
    turn(lp, log)


@question("AT2 who waits for a task comes after what was queued before its end")
def _(lp, log):
    async def child():
        lp.call_soon(log.say, "queued")
        log.say("child")

    async def parent():
        await one
        log.say("parent")

    one = lp.create_task(child())
    two = lp.create_task(parent())
    turn(lp, log)
    turn(lp, log)


@question("AT4 the outcome is the value or the error")
def _(lp, log):
    async def fails():
        fail("broken")

    log.say(lp.run_until_complete(lp.create_task(value(7))))
    try:
        lp.run_until_complete(lp.create_task(fails()))
    except ValueError as error:
        log.say(error)


@question("AT5 a sleep of zero skips one turn")
def _(lp, log):
    async def work(name):
        for step in range(3):
            log.say(f"{name}{step}")
            await asyncio.sleep(0)

    tasks = [lp.create_task(work(name)) for name in "ab"]
    for _ in range(3):
        turn(lp, log)
    wait(lp, 1)


@question("AT5 a sleep of zero and a callback take turns")
def _(lp, log):
    async def work():
        lp.call_soon(log.say, "callback")
        await asyncio.sleep(0)
        log.say("task")

    task = lp.create_task(work())
    turn(lp, log)
    turn(lp, log)


@question("AT6 a task that awaits itself is told")
def _(lp, log):
    async def own():
        try:
            await task
        except RuntimeError:
            log.say("refused")

    task = lp.create_task(own())
    turn(lp, log)


@question("AT7 a cancel is a request")
def _(lp, log):
    task = lp.create_task(forever())
    turn(lp, log)
    log.say(task.cancel())
    log.say(task.done())
    turn(lp, log)
    log.say(task.done())
    log.say(end(task))
    log.say(task.cancel())


@question("AT7 turns from a cancel to the callback")
def _(lp, log):
    task = lp.create_task(forever())
    turn(lp, log)
    task.cancel()
    turns(lp, log, task)


@question("AT8 a task cancelled before its first step never begins")
def _(lp, log):
    async def body():
        log.say("body")

    task = lp.create_task(body())
    log.say(task.cancel())
    turns(lp, log, task)


@question("AT8 two cancels before the first step are one")
def _(lp, log):
    async def body():
        log.say("body")

    task = lp.create_task(body())
    log.say(task.cancel())
    log.say(task.cancel())
    turns(lp, log, task)


@question("AT8 a cancel in the batch of the first step")
def _(lp, log):
    async def body():
        log.say("body")

    lp.call_soon(lambda: victim.cancel())
    victim = lp.create_task(body())
    turn(lp, log)


@question("AT9 a cancel reaches who is waited for")
def _(lp, log):
    async def waits():
        await inner

    inner = lp.create_task(forever())
    inner.add_done_callback(lambda _: log.say("inner"))
    outer = lp.create_task(waits())
    outer.add_done_callback(lambda _: log.say("outer"))
    turn(lp, log)
    outer.cancel()
    wait(lp, 1)


@question("AT11 a task that cancels itself ends at its next await")
def _(lp, log):
    async def own():
        task.cancel()
        log.say("goes on")
        await asyncio.sleep(0)
        log.say("not here")

    task = lp.create_task(own())
    turn(lp, log)
    turn(lp, log)
    log.say(end(task))


@question("AT11 a task that cancels itself at its end")
def _(lp, log):
    async def own():
        task.cancel()
        return 7

    task = lp.create_task(own())
    wait(lp, 1)
    log.say(end(task))


@question("AT13 sleeps end by their time")
def _(lp, log):
    tasks = [lp.create_task(sleeper(log, millis)) for millis in [20, 10, 30]]
    wait(lp, 60)


async def gather(*args, **kwargs):
    return await asyncio.gather(*args, **kwargs)


@question("AT14 results come in the order of the arguments")
def _(lp, log):
    log.say(lp.run_until_complete(gather(*[sleeper(log, n) for n in [30, 10, 20]])))


@question("AT14 the first error surfaces")
def _(lp, log):
    async def work(millis):
        await asyncio.sleep(millis / 1000)
        if millis == 20:
            fail("20")

    try:
        lp.run_until_complete(gather(*[work(n) for n in [30, 20, 10]]))
    except ValueError as error:
        log.say(error)
    wait(lp, 30)


@question("AT14 after the first error the rest goes on")
def _(lp, log):
    async def work(millis):
        await sleeper(log, millis)
        if millis < 20:
            fail("error")

    try:
        lp.run_until_complete(gather(work(30), work(10)))
    except ValueError as error:
        log.say(error)
    wait(lp, 50)


@question("AT15 one cancelled task does not cancel the rest")
def _(lp, log):
    cancelled = lp.create_task(forever())
    ended = lp.create_task(value(1))
    cancelled.cancel()
    for one in lp.run_until_complete(gather(cancelled, ended, return_exceptions=True)):
        log.say("cancelled" if isinstance(one, asyncio.CancelledError) else one)


def timed(lp, log, future, millis):
    try:
        lp.run_until_complete(asyncio.wait_for(future, millis / 1000))
        log.say("value")
    except TimeoutError:
        log.say("timeout")


@question("AT18 a timeout drops what is late")
def _(lp, log):
    timed(lp, log, sleeper(log, 40), 10)
    wait(lp, 60)


@question("AT18 a result in time is no timeout")
def _(lp, log):
    timed(lp, log, sleeper(log, 10), 40)


@question("AT18 a time of zero takes what is done")
def _(lp, log):
    done = lp.create_task(value(7))
    turn(lp, log)
    log.say(lp.run_until_complete(asyncio.wait_for(done, 0)))
    timed(lp, log, forever(), 0)


@question("AT19 a shielded task outlives who waits for it")
def _(lp, log):
    async def shielded():
        try:
            await asyncio.wait_for(asyncio.shield(inner), 0.010)
        except TimeoutError:
            log.say("timeout")

    inner = lp.create_task(sleeper(log, 20))
    lp.run_until_complete(shielded())
    log.say(lp.run_until_complete(inner))


@question("AT21 the current task is known inside a step only")
def _(lp, log):
    def name():
        task = asyncio.current_task(lp)
        log.say(task.get_name() if task else "none")

    async def work():
        name()
        await asyncio.sleep(0)
        name()

    name()
    tasks = [lp.create_task(work(), name=one) for one in "ab"]
    lp.call_soon(name)
    turn(lp, log)
    turn(lp, log)


# Groups, timeouts, locks and queues


async def waits(log):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        log.say("cancelled")
        raise


async def fails(text, millis=0):
    await asyncio.sleep(millis / 1000)
    fail(text)


def grouped(lp, log, block, end=None):
    async def scope():
        async with asyncio.TaskGroup() as group:
            await block(group)

    try:
        lp.run_until_complete(scope())
        log.say(end or "ended")
    except* ValueError as group:
        log.say(group.exceptions[0])


@question("AG1 a scope waits for every task, also for late ones")
def _(lp, log):
    async def late():
        await asyncio.sleep(0.001)
        log.say("late")

    async def early(group):
        await asyncio.sleep(0.001)
        log.say("early")
        group.create_task(late())

    async def block(group):
        group.create_task(early(group))
        log.say("block")

    grouped(lp, log, block)


@question("AG2 the first error cancels the others")
def _(lp, log):
    async def block(group):
        group.create_task(waits(log))
        group.create_task(fails("first", 1))

    grouped(lp, log, block)


@question("AG2 the first error cancels the block")
def _(lp, log):
    async def block(group):
        group.create_task(fails("first"))
        await asyncio.sleep(60)
        log.say("not here")

    grouped(lp, log, block)


@question("AG3 a task that was cancelled on its own is no error")
def _(lp, log):
    async def block(group):
        task = group.create_task(waits(log))
        await asyncio.sleep(0)
        task.cancel()

    grouped(lp, log, block)


@question("AG4 a cancel of the outer task cancels all and goes on")
def _(lp, log):
    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(waits(log))
            await forever()
        log.say("not here")

    outer = lp.create_task(work())
    wait(lp, 5)
    outer.cancel()
    wait(lp, 5)
    log.say("outer cancelled" if outer.cancelled() else "outer ended")


@question("AG5 a scope that is over starts nothing")
def _(lp, log):
    kept = []

    async def block(group):
        kept.append(group)

    async def late():
        coroutine = value(1)
        try:
            kept[0].create_task(coroutine)
            log.say("taken")
        except RuntimeError:
            log.say("refused")
            coroutine.close()

    grouped(lp, log, block)
    lp.run_until_complete(late())


@question("AG6 a scope that is cancelled ends its tasks", since=(3, 15))
def _(lp, log):
    async def block(group):
        group.create_task(waits(log))
        await asyncio.sleep(0)
        group.cancel()
        await forever()

    grouped(lp, log, block, "no error")


@question("AO1 an error of the block is not a timeout")
def _(lp, log):
    async def block():
        async with asyncio.timeout(0.001):
            fail("foreign")

    try:
        lp.run_until_complete(block())
    except ValueError as error:
        log.say(error)


@question("AO2 of two nested timeouts the inner one reports")
def _(lp, log):
    async def block():
        async with asyncio.timeout(0.040):
            try:
                async with asyncio.timeout(0.010):
                    await forever()
            except TimeoutError:
                log.say("inner")

    lp.run_until_complete(block())
    log.say("value")


def deadline(lp, log, change):
    async def block():
        async with asyncio.timeout(0.010) as limit:
            change(limit)
            await asyncio.sleep(0.030)
            log.say("block")

    try:
        lp.run_until_complete(block())
        log.say("value")
    except TimeoutError:
        log.say("timeout")


@question("AO3 a deadline that is put off does not fire")
def _(lp, log):
    deadline(lp, log, lambda limit: limit.reschedule(lp.time() + 0.100))


@question("AO3 a deadline that is disabled does not fire")
def _(lp, log):
    deadline(lp, log, lambda limit: limit.reschedule(None))


@question("AK1 a lock lets in who came first")
def _(lp, log):
    async def work(number):
        for one in range(2):
            async with lock:
                log.say(f"{number}.{one}")
                await asyncio.sleep(0)

    lock = asyncio.Lock()
    lp.run_until_complete(gather(*[work(number) for number in range(3)]))


# The semaphore of 3.11.0 to 3.11.3 could lose a turn.
@question("AK1 a semaphore passes the turn of who gave up on", since=(3, 11, 4))
def _(lp, log):
    async def work(number):
        await room.acquire()
        log.say(number)
        room.release()

    room = asyncio.Semaphore(0)
    tasks = [lp.create_task(work(number)) for number in range(3)]
    wait(lp, 1)
    room.release()
    tasks[0].cancel()
    wait(lp, 5)


@question("AK2 an event wakes all who wait")
def _(lp, log):
    async def work(number):
        await event.wait()
        log.say(number)

    event = asyncio.Event()
    tasks = [lp.create_task(work(number)) for number in range(3)]
    wait(lp, 1)
    event.set()
    event.clear()
    wait(lp, 5)


@question("AQ1 a full queue holds its senders up and keeps their order")
def _(lp, log):
    async def sender():
        for number in range(3):
            await queue.put(number)
            log.say(f"put{number}")

    queue = asyncio.Queue(1)
    task = lp.create_task(sender())
    wait(lp, 1)
    log.say("|")
    for _ in range(3):
        log.say(lp.run_until_complete(queue.get()))
        wait(lp, 1)


def answer(ask):
    lp, log = asyncio.new_event_loop(), Log()
    lp.set_exception_handler(lambda _, context: log.say(f"told({context.get('exception')})"))
    ask(lp, log)
    answered = " ".join(log)
    if not lp.is_closed():
        lp.set_exception_handler(lambda *_: None)
        for task in asyncio.all_tasks(lp):
            task.cancel()
        for _ in range(10):
            lp.stop()
            lp.run_forever()
        lp.close()
    return answered


def main():
    for name, since, ask in QUESTIONS:
        if sys.version_info[: len(since)] < since:
            print(f"{name}? {'.'.join(map(str, since))}")
        else:
            print(f"{name}: {answer(ask)}")


if __name__ == "__main__":
    main()
