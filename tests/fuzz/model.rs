//! The loop in as few words as possible: one queue, a list of timers, a number for the time.

use std::collections::VecDeque;

use super::script::{Action, MOST, Wait, actions, wait};

#[derive(Clone, Copy, PartialEq)]
enum Item {
    Call(usize),
    /// The timer of a task's sleep has fired.
    Wake(usize, u64),
    Step(usize),
}

/// What became of an item.
enum State {
    /// A callback that is still to be called.
    Waits,
    Over,
    Task(Task),
}

#[derive(Default)]
struct Task {
    step: u64,
    /// A step is in the queue.
    rung: bool,
    cancelled: bool,
}

#[derive(Default)]
pub(crate) struct Model {
    seed: u64,
    now: u64,
    ready: VecDeque<Item>,
    timers: Vec<(u64, u64, Item)>,
    numbers: u64,
    items: Vec<State>,
    stopping: bool,
    log: Vec<String>,
}

impl Model {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    pub(crate) fn log(self) -> Vec<String> {
        self.log
    }

    fn say(&mut self, what: &str) {
        let now = self.now;
        self.log.push(format!("{now}: {what}"));
    }

    fn timer(&mut self, delay: u64, item: Item) {
        self.numbers += 1;
        self.timers.push((self.now + delay, self.numbers, item));
    }

    fn ring(&mut self, task: usize) {
        if let State::Task(state) = &mut self.items[task] {
            if !std::mem::replace(&mut state.rung, true) {
                self.ready.push_back(Item::Step(task));
            }
        }
    }

    pub(crate) fn act(&mut self, item: usize, step: u64) {
        for action in actions(self.seed, item, step, self.items.len()) {
            let number = self.items.len();
            match action {
                Action::Soon | Action::Later(_) | Action::Spawn if number >= MOST => {}
                Action::Soon => {
                    self.items.push(State::Waits);
                    self.ready.push_back(Item::Call(number));
                }
                Action::Later(delay) => {
                    self.items.push(State::Waits);
                    self.timer(delay, Item::Call(number));
                }
                Action::Spawn => {
                    self.items.push(State::Task(Task::default()));
                    self.ring(number);
                }
                Action::Cancel(other) => {
                    let ended = self.cancel(other);
                    self.say(&format!("cancel {other} {ended}"));
                }
                Action::Reset(other, delay) => {
                    let was_set = self.reset(other, delay);
                    self.say(&format!("reset {other} {was_set}"));
                }
                Action::Stop => self.stopping = true,
            }
        }
    }

    fn cancel(&mut self, other: usize) -> bool {
        match self.items.get_mut(other) {
            None | Some(State::Over) => false,
            Some(State::Waits) => {
                self.items[other] = State::Over;
                self.timers.retain(|(.., item)| *item != Item::Call(other));
                true
            }
            Some(State::Task(task)) => {
                task.cancelled = true;
                self.ring(other);
                true
            }
        }
    }

    fn reset(&mut self, other: usize, delay: u64) -> bool {
        let is_other = |(.., item): &(u64, u64, Item)| *item == Item::Call(other);
        let Some(at) = self.timers.iter().position(is_other) else {
            return false;
        };
        self.timers.remove(at);
        self.timer(delay, Item::Call(other));
        true
    }

    /// Until nothing is left to do, or a stop.
    pub(crate) fn run(&mut self) {
        loop {
            self.timers.sort_by_key(|(at, number, _)| (*at, *number));
            let due = self.timers.partition_point(|(at, ..)| *at <= self.now);
            let due = self.timers.drain(..due).map(|(.., item)| item);
            self.ready.extend(due);
            for _ in 0..self.ready.len() {
                let item = self.ready.pop_front();
                self.one(item.expect("it was counted"));
            }
            if std::mem::take(&mut self.stopping) {
                return;
            }
            if self.ready.is_empty() {
                let Some(next) = self.timers.iter().map(|(at, ..)| *at).min() else {
                    return;
                };
                self.now = self.now.max(next);
            }
        }
    }

    fn one(&mut self, item: Item) {
        match item {
            Item::Call(number) => {
                if let State::Waits = self.items[number] {
                    self.items[number] = State::Over;
                    self.say(&format!("call {number}"));
                    self.act(number, 0);
                }
            }
            Item::Wake(number, step) => {
                if matches!(&self.items[number], State::Task(task) if task.step == step) {
                    self.ring(number);
                }
            }
            Item::Step(number) => self.step(number),
        }
    }

    fn step(&mut self, number: usize) {
        let State::Task(task) = &mut self.items[number] else {
            return;
        };
        task.rung = false;
        let step = task.step;
        if task.cancelled {
            let sleeps = |item: &Item| matches!(item, Item::Wake(other, _) if *other == number);
            self.timers.retain(|(.., item)| !sleeps(item));
            self.items[number] = State::Over;
            return self.say(&format!("cancelled {number}"));
        }
        self.say(&format!("step {number}.{step}"));
        self.act(number, step);
        if let State::Task(task) = &mut self.items[number] {
            task.step += 1;
        }
        match wait(self.seed, number, step) {
            Wait::NextTurn | Wait::Sleep(0) => self.ring(number),
            Wait::Sleep(delay) => self.timer(delay, Item::Wake(number, step + 1)),
            Wait::End => {
                self.items[number] = State::Over;
                self.say(&format!("end {number}"));
            }
        }
    }
}
