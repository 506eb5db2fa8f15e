//! Tasks.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tidings::event_loop::{EventLoop, JoinError, JoinHandle};

use super::{Answer, Log, MS, Question, adapt, keep, turn};

fn said<T: ToString>(ended: Result<T, JoinError>) -> String {
    match ended {
        Ok(value) => value.to_string(),
        Err(JoinError::Cancelled) => "cancelled".to_owned(),
        Err(JoinError::SelfAwait) => "refused".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Turns until the task has ended, its callback included.
fn turns(lp: &EventLoop, log: &Log, task: &JoinHandle<()>) -> Answer {
    let told = Rc::new(RefCell::new(false));
    let inner = Rc::clone(&told);
    task.on_done(move |_| *inner.borrow_mut() = true);
    let mut count = 0;
    while !*told.borrow() {
        lp.turn(Duration::ZERO)?;
        count += 1;
    }
    log.say(count);
    Ok(())
}

/// A sleep that says when it has ended.
fn sleeper(lp: &EventLoop, log: &Log, millis: u32) -> impl Future<Output = u32> + use<> {
    let (lp, log) = (lp.clone(), log.clone());
    async move {
        lp.sleep(MS * millis).await;
        log.say(millis);
        millis
    }
}

pub(super) const QUESTIONS: &[Question] = &[
    keep("AT1 a task does not begin inside spawn", |lp, log| {
        let inner = log.clone();
        drop(lp.spawn(async move { inner.say("body") })?);
        log.say("spawned");
        turn(lp, log)
    }),
    keep("AT2 steps and callbacks share one queue", |lp, log| {
        lp.call_soon(log.says("first"))?;
        for number in 0..10 {
            let log = log.clone();
            drop(lp.spawn(async move { log.say(number) })?);
        }
        lp.call_soon(log.says("last"))?;
        turn(lp, log)
    }),
    keep(
        "AT2 who waits for a task comes after what was queued before its end",
        |lp, log| {
            let (own, inner) = (lp.clone(), log.clone());
            let child = lp.spawn(async move {
                drop(own.call_soon(inner.says("queued")));
                inner.say("child");
            })?;
            let inner = log.clone();
            drop(lp.spawn(async move {
                drop(child.await);
                inner.say("parent");
            })?);
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
    keep("AT4 the outcome is the value or the error", |lp, log| {
        log.say(said(lp.run_until_complete(lp.spawn(async { 7 })?)?));
        let fails = lp.spawn(async { Err::<(), _>("broken") })?;
        log.say(lp.run_until_complete(fails)??.unwrap_err());
        Ok(())
    }),
    keep("AT5 a sleep of zero skips one turn", |lp, log| {
        for name in ["a", "b"] {
            let (own, log) = (lp.clone(), log.clone());
            drop(lp.spawn(async move {
                for step in 0..3 {
                    log.say(format!("{name}{step}"));
                    own.sleep(Duration::ZERO).await;
                }
            })?);
        }
        for _ in 0..3 {
            turn(lp, log)?;
        }
        Ok(())
    }),
    keep(
        "AT5 a sleep of zero and a callback take turns",
        |lp, log| {
            let (own, inner) = (lp.clone(), log.clone());
            drop(lp.spawn(async move {
                drop(own.call_soon(inner.says("callback")));
                own.sleep(Duration::ZERO).await;
                inner.say("task");
            })?);
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
    adapt(
        "AT6 a task that awaits itself is told",
        "asyncio tells it a turn later",
        |lp, log| {
            let own: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
            let (shared, inner) = (Rc::clone(&own), log.clone());
            let task = lp.spawn(async move {
                let own = shared.take().expect("it is there");
                inner.say(said(own.await.map(|()| "value")));
            })?;
            *own.borrow_mut() = Some(task);
            turn(lp, log)
        },
    ),
    keep("AT7 a cancel is a request", |lp, log| {
        let mut task = lp.spawn(pending::<()>())?;
        turn(lp, log)?;
        log.say(task.cancel());
        log.say(task.is_finished());
        turn(lp, log)?;
        log.say(task.is_finished());
        log.say(said(task.take().expect("it has ended").map(|()| 0)));
        log.say(task.cancel());
        Ok(())
    }),
    keep("AT7 turns from a cancel to the callback", |lp, log| {
        let task = lp.spawn(pending::<()>())?;
        turn(lp, log)?;
        task.cancel();
        turns(lp, log, &task)
    }),
    keep(
        "AT8 a task cancelled before its first step never begins",
        |lp, log| {
            let inner = log.clone();
            let task = lp.spawn(async move { inner.say("body") })?;
            log.say(task.cancel());
            turns(lp, log, &task)
        },
    ),
    keep(
        "AT8 two cancels before the first step are one",
        |lp, log| {
            let inner = log.clone();
            let task = lp.spawn(async move { inner.say("body") })?;
            log.say(task.cancel());
            log.say(task.cancel());
            turns(lp, log, &task)
        },
    ),
    keep("AT8 a cancel in the batch of the first step", |lp, log| {
        let victim: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
        let shared = Rc::clone(&victim);
        lp.call_soon(move |_| {
            shared.take().expect("it is there").cancel();
        })?;
        let inner = log.clone();
        *victim.borrow_mut() = Some(lp.spawn(async move { inner.say("body") })?);
        turn(lp, log)
    }),
    adapt(
        "AT9 a cancel reaches who is waited for",
        "the outer task is dropped first, and the inner one with it",
        |lp, log| {
            let mut inner = lp.spawn(pending::<()>())?;
            let (one, two) = (log.clone(), log.clone());
            inner.on_done(move |_| one.say("inner"));
            let outer = lp.spawn(async move { drop((&mut inner).await) })?;
            outer.on_done(move |_| two.say("outer"));
            turn(lp, log)?;
            outer.cancel();
            lp.run_until_idle()?;
            Ok(())
        },
    ),
    keep(
        "AT11 a task that cancels itself ends at its next await",
        |lp, log| {
            let own: Rc<RefCell<Option<JoinHandle<()>>>> = Rc::default();
            let (shared, inner, handle) = (Rc::clone(&own), log.clone(), lp.clone());
            let task = lp.spawn(async move {
                shared.borrow().as_ref().expect("it is there").cancel();
                inner.say("goes on");
                handle.sleep(Duration::ZERO).await;
                inner.say("not here");
            })?;
            *own.borrow_mut() = Some(task);
            turn(lp, log)?;
            turn(lp, log)?;
            let ended = own.take().expect("it is there").take();
            log.say(said(ended.expect("it has ended").map(|()| 0)));
            Ok(())
        },
    ),
    adapt(
        "AT11 a task that cancels itself at its end",
        "the value that it returned wins",
        |lp, log| {
            let own: Rc<RefCell<Option<JoinHandle<u32>>>> = Rc::default();
            let shared = Rc::clone(&own);
            let task = lp.spawn(async move {
                shared.borrow().as_ref().expect("it is there").cancel();
                7
            })?;
            *own.borrow_mut() = Some(task);
            lp.run_until_idle()?;
            let ended = own.take().expect("it is there").take();
            log.say(said(ended.expect("it has ended")));
            Ok(())
        },
    ),
    keep("AT13 sleeps end by their time", |lp, log| {
        for millis in [20, 10, 30] {
            drop(lp.spawn(sleeper(lp, log, millis))?);
        }
        lp.run_until_idle()?;
        Ok(())
    }),
    keep(
        "AT14 results come in the order of the arguments",
        |lp, log| {
            let all = join_all([30, 10, 20].map(|millis| sleeper(lp, log, millis)));
            log.say(format!("{:?}", lp.run_until_complete(all)?));
            Ok(())
        },
    ),
    keep("AT14 the first error surfaces", |lp, log| {
        let work = |millis: u32| {
            let sleep = lp.sleep(MS * millis);
            async move {
                sleep.await;
                if millis == 20 { Err(millis) } else { Ok(()) }
            }
        };
        let first = lp.run_until_complete(try_join_all([30, 20, 10].map(work)))?;
        log.say(first.unwrap_err());
        Ok(())
    }),
    adapt(
        "AT14 after the first error the rest goes on",
        "futures that are joined by value are dropped with it; tasks go on",
        |lp, log| {
            let work = |millis: u32| {
                let sleep = sleeper(lp, log, millis);
                async move { sleep.await.checked_sub(20).ok_or("error") }
            };
            let first = lp.run_until_complete(try_join_all([30, 10].map(work)))?;
            log.say(first.unwrap_err());
            lp.run_for(MS * 50)?;
            Ok(())
        },
    ),
    keep(
        "AT15 one cancelled task does not cancel the rest",
        |lp, log| {
            let (cancelled, ended) = (lp.spawn(pending::<u32>())?, lp.spawn(async { 1 })?);
            cancelled.cancel();
            for end in lp.run_until_complete(join_all([cancelled, ended]))? {
                log.say(said(end));
            }
            Ok(())
        },
    ),
    keep("AT18 a timeout drops what is late", |lp, log| {
        let late = lp.run_until_complete(lp.timeout(MS * 10, sleeper(lp, log, 40)))?;
        log.say(if late.is_err() { "timeout" } else { "value" });
        lp.run_for(MS * 60)?;
        Ok(())
    }),
    keep("AT18 a result in time is no timeout", |lp, log| {
        let early = lp.run_until_complete(lp.timeout(MS * 40, sleeper(lp, log, 10)))?;
        log.say(if early.is_err() { "timeout" } else { "value" });
        Ok(())
    }),
    keep("AT18 a time of zero takes what is done", |lp, log| {
        let done = lp.spawn(async { 7 })?;
        turn(lp, log)?;
        log.say(said(
            lp.run_until_complete(lp.timeout(Duration::ZERO, done))??,
        ));
        let never = lp.timeout(Duration::ZERO, pending::<()>());
        let ended = lp.run_until_complete(never)?;
        log.say(if ended.is_err() { "timeout" } else { "value" });
        Ok(())
    }),
    keep(
        "AT19 a shielded task outlives who waits for it",
        |lp, log| {
            let mut inner = lp.spawn(sleeper(lp, log, 20))?;
            let ended = lp.run_until_complete(lp.timeout(MS * 10, &mut inner))?;
            log.say(if ended.is_err() { "timeout" } else { "value" });
            log.say(said(lp.run_until_complete(inner)?));
            Ok(())
        },
    ),
    keep(
        "AT21 the current task is known inside a step only",
        |lp, log| {
            let name = |lp: &EventLoop| lp.current_task().unwrap_or("none".to_owned());
            log.say(name(lp));
            for task in ["a", "b"] {
                let (own, inner) = (lp.clone(), log.clone());
                drop(lp.spawn_named(task, async move {
                    inner.say(name(&own));
                    own.next_turn().await;
                    inner.say(name(&own));
                })?);
            }
            let inner = log.clone();
            lp.call_soon(move |lp| inner.say(name(lp)))?;
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
];
