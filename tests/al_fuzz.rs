//! Random programs of callbacks, timers, tasks, cancels, resets and stops: the loop does what a simple model of it does, in the same order.
//!
//! A failure names its seed; `TIDINGS_SEED=…` runs that one alone.
#![cfg(feature = "runtime")]

#[path = "fuzz/model.rs"]
mod model;
#[path = "fuzz/script.rs"]
mod script;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use model::Model;
use script::{Action, MOST, Wait, actions, wait};
use tidings::event_loop::{EventLoop, Handle, JoinHandle};

const RUNS: usize = 12;

enum Made {
    Call(Handle),
    Task(JoinHandle<()>),
}

/// The program on the loop.
#[derive(Clone)]
struct Real {
    seed: u64,
    lp: EventLoop,
    made: Rc<RefCell<Vec<Made>>>,
    log: Rc<RefCell<Vec<String>>>,
}

/// Says so if its task is dropped before its end.
struct Guard(Real, usize, Cell<bool>);

impl Drop for Guard {
    fn drop(&mut self) {
        let end = if self.2.get() { "end" } else { "cancelled" };
        self.0.say(&format!("{end} {}", self.1));
    }
}

impl Real {
    fn say(&self, what: &str) {
        let now = self.lp.elapsed().as_millis();
        self.log.borrow_mut().push(format!("{now}: {what}"));
    }

    fn act(&self, item: usize, step: u64) {
        let made = self.made.borrow().len();
        for action in actions(self.seed, item, step, made) {
            let number = self.made.borrow().len();
            let own = self.clone();
            let call = move |_: &EventLoop| {
                own.say(&format!("call {number}"));
                own.act(number, 0);
            };
            let lp = &self.lp;
            let new = match action {
                Action::Soon | Action::Later(_) | Action::Spawn if number >= MOST => continue,
                Action::Soon => Made::Call(lp.call_soon(call).unwrap()),
                Action::Later(delay) => {
                    let delay = Duration::from_millis(delay);
                    Made::Call(lp.call_later(delay, call).unwrap())
                }
                Action::Spawn => Made::Task(lp.spawn(self.task(number)).unwrap()),
                Action::Cancel(other) => {
                    let ended = match self.made.borrow().get(other) {
                        None => false,
                        Some(Made::Call(handle)) => handle.cancel(),
                        Some(Made::Task(task)) => task.cancel(),
                    };
                    self.say(&format!("cancel {other} {ended}"));
                    continue;
                }
                Action::Reset(other, delay) => {
                    let was_set = match self.made.borrow().get(other) {
                        Some(Made::Call(handle)) => handle.reset(Duration::from_millis(delay)),
                        _ => false,
                    };
                    self.say(&format!("reset {other} {was_set}"));
                    continue;
                }
                Action::Stop => {
                    lp.stop();
                    continue;
                }
            };
            self.made.borrow_mut().push(new);
        }
    }

    fn task(&self, number: usize) -> impl Future<Output = ()> + use<> {
        let guard = Guard(self.clone(), number, Cell::new(false));
        async move {
            for step in 0.. {
                let Real { seed, lp, .. } = &guard.0;
                guard.0.say(&format!("step {number}.{step}"));
                guard.0.act(number, step);
                match wait(*seed, number, step) {
                    Wait::NextTurn => lp.next_turn().await,
                    Wait::Sleep(millis) => lp.sleep(Duration::from_millis(millis)).await,
                    Wait::End => break,
                }
            }
            guard.2.set(true);
        }
    }
}

/// What happened on the loop, and in the model.
fn both(seed: u64) -> (Vec<String>, Vec<String>) {
    let mut model = Model::new(seed);
    let lp = EventLoop::virtual_time();
    let real = Real {
        seed,
        lp: lp.clone(),
        made: Rc::default(),
        log: Rc::default(),
    };
    for run in 0..RUNS {
        let first = MOST + run;
        model.act(first, 0);
        model.run();
        real.act(first, 0);
        lp.run_until_idle().unwrap();
    }
    let log = real.log.take();
    real.made.take();
    (log, model.log())
}

#[test]
fn the_loop_does_what_the_model_does() {
    let seed = std::env::var("TIDINGS_SEED").map(|seed| seed.parse().unwrap());
    let seeds = seed.map_or(0..3000, |seed| seed..seed + 1);
    let (mut lines, mut longest) = (0, 0);
    for seed in seeds.clone() {
        let (real, model) = both(seed);
        let differs = real
            .iter()
            .zip(&model)
            .position(|(real, model)| real != model);
        let at = differs.unwrap_or(real.len().min(model.len()));
        assert!(
            real == model,
            "seed {seed}, line {at}: the loop {:?}, the model {:?}, after {:?}",
            real.get(at),
            model.get(at),
            &real[at.saturating_sub(6)..at]
        );
        lines += real.len();
        longest = longest.max(real.len());
    }
    // Programs that do nothing would find nothing.
    assert!(
        seeds.end - seeds.start == 1 || (lines > 100_000 && longest > 100),
        "{lines}, {longest}"
    );
}
