//! Timers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::Handle;

use super::{MS, Question, adapt, keep, turn};

pub(super) const QUESTIONS: &[Question] = &[
    keep("AL3 due timers come after what was ready", |lp, log| {
        lp.call_at(lp.time(), log.says("timer"))?;
        lp.call_soon(log.says("ready"))?;
        turn(lp, log)
    }),
    keep("AL17 timers come by their time", |lp, log| {
        for (millis, name) in [(30, "c"), (10, "a"), (20, "b")] {
            lp.call_later(MS * millis, log.says(name))?;
        }
        lp.run_until_idle()?;
        Ok(())
    }),
    keep(
        "AL19 what is past comes by its time in the next turn",
        |lp, log| {
            lp.run_for(MS * 20)?;
            let now = lp.time();
            lp.call_at(now.checked_sub(MS).ok_or("early")?, log.says("late"))?;
            lp.call_at(now.checked_sub(MS * 10).ok_or("early")?, log.says("later"))?;
            lp.call_soon(log.says("ready"))?;
            turn(lp, log)
        },
    ),
    adapt(
        "AL20 timers of one time come as they were set",
        "asyncio's order is undefined",
        |lp, log| {
            let at = lp.time() + MS;
            for number in 0..12 {
                let log = log.clone();
                lp.call_at(at, move |_| log.say(number))?;
            }
            lp.run_until_idle()?;
            Ok(())
        },
    ),
    keep(
        "AL21 a delay of zero comes after what is queued",
        |lp, log| {
            let inner = log.clone();
            lp.call_soon(move |lp| {
                let deeper = inner.clone();
                drop(lp.call_later(Duration::ZERO, inner.says("zero")));
                drop(lp.call_soon(move |lp| {
                    deeper.say("soon");
                    drop(lp.call_soon(deeper.says("deeper")));
                }));
            })?;
            lp.run_until_idle()?;
            Ok(())
        },
    ),
    keep("AL21 a delay of zero is not for this turn", |lp, log| {
        let inner = log.clone();
        lp.call_soon(move |lp| {
            inner.say("first");
            drop(lp.call_later(Duration::ZERO, inner.says("zero")));
        })?;
        turn(lp, log)?;
        turn(lp, log)
    }),
    keep(
        "AL22 a timer of a year does not hold up the rest",
        |lp, log| {
            lp.call_later(Duration::from_secs(365 * 86400), log.says("year"))?;
            lp.call_later(MS, log.says("soon"))?;
            lp.run_for(MS * 20)?;
            Ok(())
        },
    ),
    keep(
        "AL23 when says the same after the fire and the cancel",
        |lp, log| {
            let at = lp.time() + MS;
            let fired = lp.call_at(at, |_| ())?;
            let cancelled = lp.call_at(at, |_| ())?;
            cancelled.cancel();
            lp.run_for(MS * 20)?;
            log.say(fired.when() == Some(at));
            log.say(cancelled.when() == Some(at));
            Ok(())
        },
    ),
    keep(
        "AL24 a timer cancels the next one of its batch",
        |lp, log| {
            let victim: Rc<RefCell<Option<Handle>>> = Rc::default();
            let (inner, shared) = (log.clone(), Rc::clone(&victim));
            let past = lp.time();
            lp.run_for(MS * 20)?;
            lp.call_at(past, move |_| {
                inner.say("cancels");
                shared.take().expect("it is there").cancel();
            })?;
            *victim.borrow_mut() = Some(lp.call_at(past + MS, log.says("victim"))?);
            lp.call_at(past + MS * 2, log.says("next"))?;
            turn(lp, log)
        },
    ),
    keep(
        "AL24 an item cancels a timer that is due next turn",
        |lp, log| {
            let timer = lp.call_at(lp.time() + MS, log.says("victim"))?;
            lp.call_soon(move |_| timer.cancel().then_some(()).ok_or("it was there"))?;
            lp.run_for(MS * 20)?;
            log.say("gone");
            Ok(())
        },
    ),
    keep("AL26 a dropped handle takes nothing back", |lp, log| {
        drop(lp.call_later(MS, log.says("timer"))?);
        lp.run_until_idle()?;
        Ok(())
    }),
    keep(
        "AL27 an error of a timer is told before the next one",
        |lp, log| {
            lp.call_later(MS, |_| Err::<(), _>("no"))?;
            lp.call_later(MS * 2, log.says("next"))?;
            lp.run_until_idle()?;
            Ok(())
        },
    ),
];
