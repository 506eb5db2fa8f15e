//! Promises.

use std::rc::Rc;

use tidings::event_loop::PromiseError;

use super::{Question, adapt, keep, turn};

fn said<T>(result: &Result<T, PromiseError>) -> &'static str {
    match result {
        Ok(_) => "value",
        Err(PromiseError::NotReady) => "not-ready",
        Err(PromiseError::Cancelled) => "cancelled",
        Err(_) => "error",
    }
}

pub(super) const QUESTIONS: &[Question] = &[
    keep("AF1 a new one is neither done nor cancelled", |lp, log| {
        let (_promise, answer) = lp.promise::<u32>();
        log.say(answer.is_done());
        log.say(answer.is_cancelled());
        Ok(())
    }),
    keep("AF2 the result before the end is an error", |lp, log| {
        let (_promise, answer) = lp.promise::<u32>();
        log.say(said(&answer.result()));
        log.say(said(&answer.error()));
        Ok(())
    }),
    keep("AF3 a second result is refused", |lp, log| {
        let (promise, answer) = lp.promise();
        let promise = promise.shared();
        promise.resolve(1)?;
        log.say(if promise.resolve(2).is_err() {
            "refused"
        } else {
            "taken"
        });
        log.say(if promise.reject("no").is_err() {
            "refused"
        } else {
            "taken"
        });
        log.say(*answer.result()?);
        Ok(())
    }),
    keep("AF4 the result says the same every time", |lp, log| {
        let (promise, answer) = lp.promise();
        promise.resolve(7);
        for _ in 0..2 {
            log.say(*answer.result()?);
            log.say(answer.error()?.is_none());
        }
        let (promise, answer) = lp.promise::<u32>();
        promise.reject("broken");
        for _ in 0..2 {
            log.say(answer.result().unwrap_err());
        }
        Ok(())
    }),
    keep("AF5 a cancel counts only before the end", |lp, log| {
        let (_promise, answer) = lp.promise::<u32>();
        log.say(answer.cancel());
        log.say(answer.cancel());
        log.say(said(&answer.result()));
        let (promise, answer) = lp.promise();
        promise.resolve(1);
        log.say(answer.cancel());
        log.say(said(&answer.result()));
        Ok(())
    }),
    keep("AF6 callbacks are never inline", |lp, log| {
        let (promise, answer) = lp.promise();
        let inner = log.clone();
        answer.on_done(move |_, _| inner.say("early"));
        promise.resolve(());
        let inner = log.clone();
        answer.on_done(move |_, _| inner.say("late"));
        log.say("|");
        turn(lp, log)
    }),
    keep(
        "AF7 callbacks and tasks that wait come in their order",
        |lp, log| {
            let (promise, answer) = lp.promise();
            let answer = Rc::new(answer);
            let inner = log.clone();
            answer.on_done(move |_, _| inner.say("first"));
            let inner = log.clone();
            answer.on_done(move |_, _| inner.say("second"));
            let inner = log.clone();
            lp.call_soon(move |_| {
                inner.say("resolves");
                promise.resolve(());
            })?;
            lp.call_soon(log.says("queued before"))?;
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
    keep(
        "AF7 what was queued before the end comes before the callbacks",
        |lp, log| {
            let (promise, answer) = lp.promise();
            let inner = log.clone();
            answer.on_done(move |_, _| inner.say("callback"));
            let inner = log.clone();
            lp.call_soon(move |lp| {
                drop(lp.call_soon(inner.says("before")));
                promise.resolve(());
                drop(lp.call_soon(inner.says("after")));
            })?;
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
    keep(
        "AF8 a callback that adds one has it called next turn",
        |lp, log| {
            let (promise, answer) = lp.promise();
            let answer = Rc::new(answer);
            let (inner, again) = (log.clone(), Rc::clone(&answer));
            answer.on_done(move |_, _| {
                inner.say("first");
                again.on_done(move |_, _| inner.say("added"));
            });
            let inner = log.clone();
            answer.on_done(move |_, _| inner.say("second"));
            promise.resolve(());
            turn(lp, log)?;
            turn(lp, log)
        },
    ),
    keep(
        "AF9 a callback is removed before the end only",
        |lp, log| {
            let (promise, answer) = lp.promise();
            let (one, two) = (log.clone(), log.clone());
            let gone = answer.on_done(move |_, _| one.say("gone"));
            let stays = answer.on_done(move |_, _| two.say("stays"));
            log.say(gone.remove());
            log.say(gone.remove());
            promise.resolve(());
            log.say(stays.remove());
            turn(lp, log)
        },
    ),
    keep("AF10 awaiting what is done takes no turn", |lp, log| {
        let (promise, answer) = lp.promise();
        promise.resolve(7);
        let inner = log.clone();
        drop(lp.spawn(async move { inner.say(answer.await.expect("it is kept")) })?);
        lp.call_soon(log.says("next"))?;
        turn(lp, log)
    }),
    adapt(
        "AF12 a value after the cancel is dropped in silence",
        "a promise by value cannot be refused",
        |lp, log| {
            let (promise, answer) = lp.promise();
            answer.cancel();
            promise.resolve(1);
            log.say(said(&answer.result()));
            Ok(())
        },
    ),
    keep(
        "AL27 an error of a done-callback is told before the next one",
        |lp, log| {
            let (promise, answer) = lp.promise();
            answer.on_done(|_, _| Err::<(), _>("no"));
            let inner = log.clone();
            answer.on_done(move |_, _| inner.say("next"));
            promise.resolve(());
            turn(lp, log)
        },
    ),
    keep(
        "AF5 a cancel calls the callbacks in the next turn",
        |lp, log| {
            let (_promise, answer) = lp.promise::<u32>();
            let inner = log.clone();
            answer.on_done(move |_, result| inner.say(said(&result)));
            answer.cancel();
            log.say("|");
            turn(lp, log)
        },
    ),
];
