//! Scopes, timeouts, locks and queues.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tidings::event_loop::{EventLoop, LoopError, TaskScope};
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};

use super::{Answer, Log, MS, Question, keep};

fn ended<T, E>(result: &Result<T, E>) -> &'static str {
    if result.is_ok() { "ended" } else { "failed" }
}

/// A task that says what becomes of it.
fn waits(lp: &EventLoop, log: &Log) -> impl Future<Output = ()> + use<> {
    struct Says(Log);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.say("cancelled");
        }
    }
    let (sleep, says) = (lp.sleep(Duration::from_secs(60)), Says(log.clone()));
    async move {
        let _says = says;
        sleep.await;
    }
}

/// Three tasks that come one after another to something that lets one in.
fn queue<F: Future<Output = ()> + 'static>(
    lp: &EventLoop,
    mut enter: impl FnMut(u32) -> F,
) -> Answer {
    let tasks = (0..3).map(|number| lp.spawn(enter(number)));
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    lp.run_until_complete(futures::future::join_all(tasks))?;
    Ok(())
}

pub(super) const QUESTIONS: &[Question] = &[
    keep(
        "AG1 a scope waits for every task, also for late ones",
        |lp, log| {
            let (own, inner) = (lp.clone(), log.clone());
            let result = lp.run_until_complete(lp.scope(async |scope| {
                let late = scope.clone();
                drop(scope.spawn(async move {
                    own.sleep(MS).await;
                    inner.say("early");
                    let sleep = own.sleep(MS);
                    drop(late.spawn(async move {
                        sleep.await;
                        inner.say("late");
                    }));
                }));
                log.say("block");
            }))?;
            log.say(ended(&result));
            Ok(())
        },
    ),
    keep("AG2 the first error cancels the others", |lp, log| {
        let result = lp.run_until_complete(lp.scope(async |scope| {
            drop(scope.spawn(waits(lp, log)));
            let sleep = lp.sleep(MS);
            drop(scope.try_spawn(async move {
                sleep.await;
                Err::<(), _>("first")
            }));
        }))?;
        log.say(result.unwrap_err());
        Ok(())
    }),
    keep("AG2 the first error cancels the block", |lp, log| {
        let result = lp.run_until_complete(lp.scope(async |scope| {
            drop(scope.try_spawn(async { Err::<(), _>("first") }));
            lp.sleep(Duration::from_secs(60)).await;
            log.say("not here");
        }))?;
        log.say(result.unwrap_err());
        Ok(())
    }),
    keep(
        "AG3 a task that was cancelled on its own is no error",
        |lp, log| {
            let result = lp.run_until_complete(lp.scope(async |scope| {
                let task = scope.spawn(waits(lp, log))?;
                lp.next_turn().await;
                task.cancel();
                Ok::<(), LoopError>(())
            }))?;
            log.say(ended(&result));
            Ok(())
        },
    ),
    keep(
        "AG4 a cancel of the outer task cancels all and goes on",
        |lp, log| {
            let (own, inner) = (lp.clone(), log.clone());
            let mut outer = lp.spawn(async move {
                let scope = own.scope(async |scope| {
                    drop(scope.spawn(waits(&own, &inner)));
                    pending::<()>().await;
                });
                drop(scope.await);
                inner.say("not here");
            })?;
            lp.run_for(MS * 5)?;
            outer.cancel();
            lp.run_for(MS * 5)?;
            log.say(
                if outer.take() == Some(Err(tidings::event_loop::JoinError::Cancelled)) {
                    "outer cancelled"
                } else {
                    "outer ended"
                },
            );
            Ok(())
        },
    ),
    keep("AG5 a scope that is over starts nothing", |lp, log| {
        let kept: Rc<RefCell<Option<TaskScope>>> = Rc::default();
        let result = lp.run_until_complete(lp.scope(async |scope| {
            *kept.borrow_mut() = Some(scope.clone());
        }))?;
        log.say(ended(&result));
        let late = kept.take().expect("it is there").spawn(async {});
        log.say(if late.is_err() { "refused" } else { "taken" });
        Ok(())
    }),
    keep("AG6 a scope that is cancelled ends its tasks", |lp, log| {
        let result = lp.run_until_complete(lp.scope(async |scope| {
            drop(scope.spawn(waits(lp, log)));
            lp.next_turn().await;
            scope.cancel();
            pending::<()>().await;
        }))?;
        log.say(if result.is_err_and(|error| !error.is_cancelled()) {
            "error"
        } else {
            "no error"
        });
        Ok(())
    }),
    keep("AO1 an error of the block is not a timeout", |lp, log| {
        let fails = lp.timeout(MS, async { Err::<(), _>("foreign") });
        log.say(lp.run_until_complete(fails)??.unwrap_err());
        Ok(())
    }),
    keep(
        "AO2 of two nested timeouts the inner one reports",
        |lp, log| {
            let nested = lp.timeout(MS * 40, async {
                let inner = lp.timeout(MS * 10, pending::<()>()).await;
                log.say(if inner.is_err() { "inner" } else { "value" });
            });
            let outer = lp.run_until_complete(nested)?;
            log.say(if outer.is_err() { "outer" } else { "value" });
            Ok(())
        },
    ),
    keep("AO3 a deadline that is put off does not fire", |lp, log| {
        let result = lp.run_until_complete(lp.timeout_with(MS * 10, async |deadline| {
            deadline.reset(MS * 100);
            lp.sleep(MS * 30).await;
            log.say("block");
        }))?;
        log.say(if result.is_err() { "timeout" } else { "value" });
        Ok(())
    }),
    keep(
        "AO3 a deadline that is disabled does not fire",
        |lp, log| {
            let result = lp.run_until_complete(lp.timeout_with(MS * 10, async |deadline| {
                deadline.disable();
                lp.sleep(MS * 30).await;
                log.say("block");
            }))?;
            log.say(if result.is_err() { "timeout" } else { "value" });
            Ok(())
        },
    ),
    keep("AK1 a lock lets in who came first", |lp, log| {
        let lock = Arc::new(Mutex::new(()));
        queue(lp, |number| {
            let (lp, lock, log) = (lp.clone(), Arc::clone(&lock), log.clone());
            async move {
                for round in 0..2 {
                    let guard = lock.lock().await;
                    log.say(format!("{number}.{round}"));
                    lp.next_turn().await;
                    drop(guard);
                }
            }
        })
    }),
    keep(
        "AK1 a semaphore passes the turn of who gave up on",
        |lp, log| {
            let room = Arc::new(Semaphore::new(0));
            let mut tasks = Vec::new();
            for number in 0..3 {
                let (room, log) = (Arc::clone(&room), log.clone());
                tasks.push(lp.spawn(async move {
                    drop(room.acquire().await);
                    log.say(number);
                })?);
            }
            lp.run_for(MS)?;
            room.add_permits(1);
            tasks.remove(0).cancel();
            lp.run_for(MS * 5)?;
            Ok(())
        },
    ),
    keep("AK2 an event wakes all who wait", |lp, log| {
        let set = Arc::new(Notify::new());
        for number in 0..3 {
            let (set, log) = (Arc::clone(&set), log.clone());
            drop(lp.spawn(async move {
                set.notified().await;
                log.say(number);
            })?);
        }
        lp.run_for(MS)?;
        set.notify_waiters();
        lp.run_for(MS * 5)?;
        Ok(())
    }),
    keep(
        "AQ1 a full queue holds its senders up and keeps their order",
        |lp, log| {
            let (send, mut receive) = mpsc::channel(1);
            let (own, inner) = (lp.clone(), log.clone());
            drop(lp.spawn(async move {
                for number in 0..3 {
                    send.send(number).await.expect("it is open");
                    inner.say(format!("put{number}"));
                }
                own.sleep(MS * 5).await;
            })?);
            lp.run_for(MS)?;
            log.say("|");
            for _ in 0..3 {
                log.say(lp.run_until_complete(receive.recv())?.expect("it is open"));
                lp.run_for(MS)?;
            }
            Ok(())
        },
    ),
];
