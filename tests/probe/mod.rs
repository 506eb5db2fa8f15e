//! Questions about order, asked of our loop. `asyncio_probe.py` asks the same of asyncio's, under the same names.

mod futures_;
mod groups;
mod queue;
mod tasks;
mod timers;

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::EventLoop;

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    #[expect(clippy::needless_pass_by_value, reason = "what is said is said")]
    pub(crate) fn say(&self, text: impl ToString) {
        self.0.borrow_mut().push(text.to_string());
    }

    /// A callback that says its name.
    pub(crate) fn says(&self, text: &'static str) -> impl FnOnce(&EventLoop) + 'static {
        let log = self.clone();
        move |_| log.say(text)
    }
}

type Answer = Result<(), Box<dyn Error>>;
type Ask = fn(&EventLoop, &Log) -> Answer;

pub(crate) struct Question {
    /// The clause first.
    pub(crate) name: &'static str,
    /// Why our answer is another than asyncio's, if it is.
    pub(crate) differs: Option<&'static str>,
    ask: Ask,
}

const fn keep(name: &'static str, ask: Ask) -> Question {
    Question {
        name,
        differs: None,
        ask,
    }
}

const fn adapt(name: &'static str, why: &'static str, ask: Ask) -> Question {
    Question {
        name,
        differs: Some(why),
        ask,
    }
}

/// One turn, which does not wait.
fn turn(lp: &EventLoop, log: &Log) -> Answer {
    lp.stop();
    lp.run_forever()?;
    log.say("|");
    Ok(())
}

const MS: Duration = Duration::from_millis(1);

pub(crate) fn questions() -> impl Iterator<Item = &'static Question> {
    [
        queue::QUESTIONS,
        timers::QUESTIONS,
        futures_::QUESTIONS,
        tasks::QUESTIONS,
        groups::QUESTIONS,
    ]
    .into_iter()
    .flatten()
}

impl Question {
    /// Our answer.
    pub(crate) fn answer(&self) -> String {
        let (lp, log) = (EventLoop::virtual_time(), Log::default());
        let told = log.clone();
        lp.on_failure(move |failure| told.say(format!("told({})", failure.message())));
        let ended = (self.ask)(&lp, &log);
        assert!(ended.is_ok(), "{}: {ended:?}", self.name);
        log.0.take().join(" ")
    }
}
