//! The queue, runs and their ends.

use std::cell::RefCell;
use std::rc::Rc;

use tidings::event_loop::{EventLoop, Fatal, LoopError};

use super::{Log, Question, adapt, keep, turn};

/// What a refusal is called.
fn said<T>(ended: &Result<T, LoopError>) -> &'static str {
    if ended.is_ok() { "taken" } else { "refused" }
}

fn two_runs(lp: &EventLoop, log: &Log) -> super::Answer {
    let inner = log.clone();
    lp.call_soon(move |lp| {
        inner.say("one");
        lp.call_soon(move |lp| {
            inner.say("two");
            lp.stop();
        })
        .map(drop)
    })?;
    lp.run_forever()?;
    Ok(())
}

pub(super) const QUESTIONS: &[Question] = &[
    keep("AL1 first in, first out", |lp, log| {
        for name in ["a", "b", "c"] {
            lp.call_soon(log.says(name))?;
        }
        turn(lp, log)
    }),
    keep("AL1 nothing runs twice", |lp, log| {
        lp.call_soon(log.says("a"))?;
        turn(lp, log)?;
        turn(lp, log)
    }),
    keep(
        "AL2 what an item queues comes in the next turn",
        |lp, log| {
            let inner = log.clone();
            lp.call_soon(move |lp| {
                inner.say("a");
                lp.call_soon(inner.says("c")).map(drop)
            })?;
            lp.call_soon(log.says("b"))?;
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
    keep("AL2 a chain takes one turn a link", |lp, log| {
        fn link(lp: &EventLoop, log: Log, left: u32) {
            log.say(left);
            if left > 0 {
                drop(lp.call_soon(move |lp| link(lp, log, left - 1)));
            }
        }
        let inner = log.clone();
        lp.call_soon(move |lp| link(lp, inner, 2))?;
        for _ in 0..4 {
            turn(lp, log)?;
        }
        Ok(())
    }),
    keep("AL5 a stop finishes the batch", |lp, log| {
        let inner = log.clone();
        lp.call_soon(move |lp| {
            lp.stop();
            lp.call_soon(inner.says("next")).map(drop)
        })?;
        lp.call_soon(log.says("same"))?;
        lp.run_forever()?;
        log.say("|");
        turn(lp, log)
    }),
    keep("AL5 two stops are one", |lp, log| {
        lp.call_soon(|lp| {
            lp.stop();
            lp.stop();
        })?;
        lp.run_forever()?;
        two_runs(lp, log)
    }),
    keep("AL6 a stop before the run gives one turn", |lp, log| {
        let inner = log.clone();
        lp.call_soon(move |lp| {
            inner.say("first");
            lp.call_soon(inner.says("second")).map(drop)
        })?;
        turn(lp, log)?;
        turn(lp, log)
    }),
    keep("AL6 the one turn takes due timers", |lp, log| {
        lp.call_at(lp.time(), log.says("due"))?;
        turn(lp, log)
    }),
    keep("AL7 the stop ends with its run", |lp, log| {
        lp.stop();
        lp.run_forever()?;
        two_runs(lp, log)
    }),
    keep("AL8 a nested run is refused", |lp, log| {
        let inner = log.clone();
        lp.call_soon(move |lp| inner.say(said(&lp.run_forever())))?;
        lp.call_soon(log.says("next"))?;
        turn(lp, log)
    }),
    keep("AL8 a run of another loop inside is refused", |lp, log| {
        let (inner, other) = (log.clone(), EventLoop::virtual_time());
        lp.call_soon(move |_| inner.say(said(&other.run_until_complete(async {}))))?;
        turn(lp, log)
    }),
    keep("AL9 a run gives the value of its future", |lp, log| {
        log.say(lp.run_until_complete(async { 7 })?);
        log.say(
            lp.run_until_complete(async { Err::<(), _>("error") })?
                .unwrap_err(),
        );
        Ok(())
    }),
    keep(
        "AL9 what was queued before comes before the future",
        |lp, log| {
            lp.call_soon(log.says("before"))?;
            lp.run_until_complete(async { log.say("future") })?;
            Ok(())
        },
    ),
    keep(
        "AL9 what is ready at the end of the future still runs",
        |lp, log| {
            lp.run_until_complete(async {
                log.say("future");
                let inner = log.clone();
                drop(lp.call_soon(move |lp| {
                    inner.say("next");
                    drop(lp.call_soon(inner.says("too late")));
                }));
            })?;
            log.say("ended");
            Ok(())
        },
    ),
    keep("AL10 a run that was stopped keeps its task", |lp, log| {
        let own = lp.clone();
        let mut task = lp.spawn(async move {
            own.next_turn().await;
            own.next_turn().await;
            "done"
        })?;
        lp.call_soon(EventLoop::stop)?;
        let ended = lp.run_until_complete(&mut task);
        log.say(if ended.is_err() { "stopped" } else { "ended" });
        log.say(task.is_finished());
        log.say(lp.run_until_complete(task)??);
        Ok(())
    }),
    adapt(
        "AL11 an end in the turn of a stop leaves nothing behind",
        "asyncio leaves its stop in the queue, which ends the next run after a turn",
        |lp, log| {
            lp.run_until_complete(async { lp.stop() })?;
            two_runs(lp, log)
        },
    ),
    keep("AL13 a close in a run is refused", |lp, log| {
        let inner = log.clone();
        lp.call_soon(move |lp| {
            inner.say(said(&lp.close()));
            inner.say(lp.is_running());
        })?;
        turn(lp, log)?;
        log.say(lp.is_closed());
        Ok(())
    }),
    keep("AL13 a second close is harmless", |lp, log| {
        log.say(said(&lp.close()));
        log.say(said(&lp.close()));
        log.say(lp.is_closed());
        Ok(())
    }),
    keep("AL14 a closed loop refuses", |lp, log| {
        lp.close()?;
        log.say(said(&lp.call_soon(|_| ())));
        log.say(said(&lp.call_later(super::MS, |_| ())));
        log.say(said(&lp.call_at(lp.time(), |_| ())));
        log.say(said(&lp.remote().call_soon(|_| ())));
        log.say(said(&lp.run_forever()));
        Ok(())
    }),
    keep("AL24 a cancel stops what is in this batch", |lp, log| {
        let victim: Rc<RefCell<Option<tidings::event_loop::Handle>>> = Rc::default();
        let (inner, shared) = (log.clone(), Rc::clone(&victim));
        lp.call_soon(move |_| {
            inner.say("cancels");
            let handle = shared.take().expect("it is there");
            handle.cancel();
            handle.cancel();
        })?;
        *victim.borrow_mut() = Some(lp.call_soon(log.says("victim"))?);
        lp.call_soon(log.says("next"))?;
        turn(lp, log)
    }),
    keep("AL24 a callback may cancel itself", |lp, log| {
        let own: Rc<RefCell<Option<tidings::event_loop::Handle>>> = Rc::default();
        let (inner, shared) = (log.clone(), Rc::clone(&own));
        let handle = lp.call_soon(move |_| {
            shared.take().expect("it is there").cancel();
            inner.say("goes on");
        })?;
        *own.borrow_mut() = Some(handle);
        turn(lp, log)
    }),
    keep("AL27 an error is told before the next item", |lp, log| {
        lp.call_soon(|_| Err::<(), _>("no"))?;
        lp.call_soon(log.says("next"))?;
        turn(lp, log)
    }),
    keep("AL28 a fatal error leaves the run at once", |lp, log| {
        lp.call_soon(|_| Err::<(), _>(Fatal::new("fatal")))?;
        lp.call_soon(log.says("left"))?;
        log.say(lp.run_forever().unwrap_err());
        turn(lp, log)
    }),
    keep(
        "AL29 a hook replaces another, and the default both",
        |lp, log| {
            let inner = log.clone();
            lp.on_failure(move |_| inner.say("second"));
            lp.call_soon(|_| Err::<(), _>("no"))?;
            turn(lp, log)?;
            let inner = log.clone();
            lp.on_failure(move |_| inner.say("third"));
            lp.call_soon(|_| Err::<(), _>("no"))?;
            turn(lp, log)
        },
    ),
    keep(
        "AL30 a failing hook does not stop the next item",
        |lp, log| {
            let inner = log.clone();
            lp.on_failure(move |_| {
                inner.say("hook");
                assert!(std::hint::black_box(false), "the hook itself");
            });
            lp.call_soon(|_| Err::<(), _>("no"))?;
            lp.call_soon(log.says("next"))?;
            turn(lp, log)
        },
    ),
    keep(
        "AL31 calls through the remote keep their place",
        |lp, log| {
            // What another thread may send holds no log.
            thread_local!(static LOG: RefCell<Log> = RefCell::default());
            LOG.set(log.clone());
            lp.call_soon(log.says("a"))?;
            lp.remote()
                .call_soon(|_| LOG.with_borrow(|log| log.say("b")))?;
            lp.call_soon(log.says("c"))?;
            turn(lp, log)
        },
    ),
    keep("AL36 the running loop is known inside only", |lp, log| {
        let inner = log.clone();
        log.say(EventLoop::current().is_some());
        lp.call_soon(move |_| inner.say(EventLoop::current().is_some()))?;
        turn(lp, log)?;
        log.say(EventLoop::current().is_some());
        Ok(())
    }),
];
