//! The emissions that run on this thread, one frame each: the depth, the current bus and the causal chain.
//!
//! A frame is three words in a fixed array, written without allocation; a listener's name is looked up only when somebody asks.

mod chain;
mod judging;

use std::cell::Cell;
use std::fmt::Write as _;

pub(crate) use chain::Chain;
use judging::Judging;
pub use judging::check;
pub(crate) use judging::{only_condition, without_condition};

use crate::bus::Inner;
use crate::event::EventOps;
use crate::listener::ListenerInfo;

/// The most emissions that may stand on each other.
pub(crate) const MAX_DEPTH: usize = 64;

/// Set in [`Entry::at`] for a subscription; the rest is its number.
pub(crate) const SUBSCRIPTION: u64 = 1 << 63;

/// In [`Entry::at`] before the first listener runs: no table is as long.
const NO_LISTENER: u64 = SUBSCRIPTION - 1;

/// One emission: its bus, its event, and the listener that runs.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Entry {
    bus: u64,
    ops: Option<&'static EventOps>,
    at: u64,
    /// Which emission it is, where somebody counts them.
    number: u64,
}

impl Entry {
    /// What has no emission: the tick of a listener.
    pub(crate) fn alone(bus: u64, ops: &'static EventOps, at: u64, number: u64) -> Self {
        Self {
            bus,
            ops: Some(ops),
            at,
            number,
        }
    }

    pub(crate) fn number(self) -> u64 {
        self.number
    }

    pub(crate) fn topic(self) -> &'static str {
        self.ops.map_or("", |ops| (ops.info)().topic())
    }

    pub(crate) fn listener(self) -> Option<ListenerInfo> {
        let bus = Inner::by_id(self.bus)?;
        bus.listener_at(self.ops?, self.at)
    }

    fn is(self, other: Self) -> bool {
        self.bus == other.bus
            && self.at == other.at
            && self.ops.zip(other.ops).is_some_and(|(a, b)| a.is(b))
    }

    fn same(self, other: Self) -> bool {
        self.at == other.at && self.topic() == other.topic()
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({})", self.topic())
    }
}

pub(crate) struct Stack {
    len: Cell<usize>,
    /// How deep the condition stood that panicked; 0 for none.
    condition: Cell<usize>,
    hook: Cell<bool>,
    refusing: Cell<bool>,
    /// What the next condition is for.
    judging: Cell<Judging>,
    /// The condition that was only judged holds.
    wanted: Cell<bool>,
    /// One more than frames: below the first stands the bus of the scope that was entered on this thread.
    bus: [Cell<u64>; MAX_DEPTH + 1],
    ops: [Cell<Option<&'static EventOps>>; MAX_DEPTH],
    at: [Cell<u64>; MAX_DEPTH],
    number: [Cell<u64>; MAX_DEPTH],
}

thread_local! {
    static STACK: Stack = const {
        Stack {
            len: Cell::new(0),
            condition: Cell::new(0),
            hook: Cell::new(false),
            refusing: Cell::new(false),
            judging: Cell::new(Judging::AndCall),
            wanted: Cell::new(false),
            bus: [const { Cell::new(0) }; MAX_DEPTH + 1],
            ops: [const { Cell::new(None) }; MAX_DEPTH],
            at: [const { Cell::new(0) }; MAX_DEPTH],
            number: [const { Cell::new(0) }; MAX_DEPTH],
        }
    };
}

/// Runs `f` with this thread's stack.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Stack) -> R) -> R {
    STACK.with(f)
}

/// An emission on the stack.
#[doc(hidden)]
pub struct Frame<'s> {
    stack: &'s Stack,
    index: usize,
    /// Which listener runs: the one word that is written for each, so its address is kept at hand.
    at: &'s Cell<u64>,
}

impl Stack {
    /// The bus whose listener runs here, else that of the scope; 0 for none.
    pub(crate) fn current_bus(&self) -> u64 {
        self.bus[self.len.get()].get()
    }

    /// Makes a bus the current one outside of every listener; the one before.
    pub(crate) fn set_scope(&self, bus: u64) -> u64 {
        self.bus[0].replace(bus)
    }

    /// Whether a delivery of this bus is on the stack.
    pub(crate) fn stands_on(&self, bus: u64) -> bool {
        (1..=self.len.get()).any(|index| self.bus[index].get() == bus)
    }

    /// One more emission, or `None` when there are as many as may be.
    #[inline]
    pub(crate) fn enter(&self, bus: u64, ops: &'static EventOps) -> Option<Frame<'_>> {
        let index = self.len.get();
        if index >= MAX_DEPTH {
            return None;
        }
        self.bus[index + 1].set(bus);
        self.ops[index].set(Some(ops));
        self.len.set(index + 1);
        Some(Frame {
            stack: self,
            index,
            at: &self.at[index],
        })
    }

    /// Takes the topmost emission off, which is at `index`.
    #[inline]
    pub(crate) fn leave(&self, index: usize) {
        self.len.set(index);
    }

    /// The emission that was just entered, before any listener runs.
    pub(crate) fn hold_fresh(&self, index: usize) -> Held<'_> {
        // Another emission stood here, whose listener is not this one's.
        self.at[index].set(NO_LISTENER);
        self.hold(index)
    }

    /// The topmost emission, which is at `index`; taken off when this is dropped, whatever way it ends.
    pub(crate) fn hold(&self, index: usize) -> Held<'_> {
        Held(Frame {
            stack: self,
            index,
            at: &self.at[index],
        })
    }

    pub(crate) fn depth(&self) -> usize {
        self.len.get()
    }

    /// Makes `chain` the stack for a while: a delivery that goes on elsewhere, or an event that was returned. What stood here is put
    /// back on drop; mostly it is the beginning of the chain, so nothing has to be kept.
    pub(crate) fn resume(&self, chain: &[Entry]) -> Resumed<'_> {
        let before = self.len.get();
        let common = before.min(chain.len());
        let same = (0..common).all(|i| self.entry(i).is(chain[i]));
        // What stands above the chain would be overwritten by what is emitted meanwhile.
        let saved = if same && before <= chain.len() {
            Vec::new()
        } else {
            self.chain()
        };
        self.put(chain);
        Resumed {
            stack: self,
            before,
            saved,
        }
    }

    fn put(&self, chain: &[Entry]) {
        for (i, entry) in chain.iter().enumerate() {
            self.bus[i + 1].set(entry.bus);
            self.ops[i].set(entry.ops);
            self.at[i].set(entry.at);
            self.number[i].set(entry.number);
        }
        self.len.set(chain.len());
    }

    fn entry(&self, index: usize) -> Entry {
        Entry {
            bus: self.bus[index + 1].get(),
            ops: self.ops[index].get(),
            at: self.at[index].get(),
            number: self.number[index].get(),
        }
    }

    /// What stands on the stack, outermost first.
    pub(crate) fn chain(&self) -> Vec<Entry> {
        (0..self.len.get()).map(|i| self.entry(i)).collect()
    }

    /// The chain for a reader: outermost first, a repeated part once with its count.
    pub(crate) fn describe(&self) -> String {
        let chain = self.chain();
        let repeats = |period: usize| {
            let last = &chain[chain.len() - period..];
            chain
                .rchunks(period)
                .take_while(|part| {
                    part.len() == period && part.iter().zip(last).all(|(a, b)| a.same(*b))
                })
                .count()
        };
        let best = (1..=chain.len() / 2)
            .map(|period| (period, repeats(period)))
            .find(|(_, times)| *times > 2);
        let (period, times) = best.unwrap_or((0, 0));
        let mut text = String::new();
        for entry in &chain[..chain.len() - period * times] {
            describe_entry(&mut text, *entry);
        }
        for entry in &chain[chain.len() - period..] {
            describe_entry(&mut text, *entry);
        }
        if times > 0 {
            let part = if period == 1 {
                String::new()
            } else {
                format!("the last {period} of these, ")
            };
            let _ = write!(text, " ({part}{times} times)");
        }
        text
    }

    /// Whether a condition was being evaluated when the panic came.
    pub(crate) fn take_condition(&self) -> bool {
        let here = self.condition.get() == self.len.get();
        if here {
            self.condition.set(0);
        }
        here
    }

    /// Marks that an event is refused here for being too deep; the value before.
    pub(crate) fn set_refusing(&self, refusing: bool) -> bool {
        self.refusing.replace(refusing)
    }

    /// Marks that the failure hook runs here; the value before.
    pub(crate) fn set_hook(&self, running: bool) -> bool {
        self.hook.replace(running)
    }
}

fn describe_entry(text: &mut String, entry: Entry) {
    if !text.is_empty() {
        text.push_str(" -> ");
    }
    let name = entry.listener().map_or_else(
        || "a listener that is gone".to_owned(),
        |l| l.id().to_owned(),
    );
    // Writing to a `String` does not fail.
    let _ = write!(text, "`{}` heard by {name}", entry.topic());
}

impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({})", self.index)
    }
}

impl Frame<'_> {
    /// Where to write which listener runs.
    #[inline]
    pub(crate) fn position(&self) -> &Cell<u64> {
        self.at
    }

    /// How many emissions stand below.
    #[inline]
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// This emission, for a delivery of it that goes on elsewhere.
    pub(crate) fn own(&self) -> Entry {
        self.stack.entry(self.index)
    }

    /// Says which emission it is.
    pub(crate) fn set_number(&self, number: u64) {
        self.stack.number[self.index].set(number);
    }

    pub(crate) fn number(&self) -> u64 {
        self.stack.number[self.index].get()
    }

    pub(crate) fn at(&self) -> usize {
        (self.at.get() & !SUBSCRIPTION) as usize
    }

    pub(crate) fn depth(&self) -> usize {
        self.index + 1
    }

    pub(crate) fn cause(&self) -> Option<Entry> {
        self.index
            .checked_sub(1)
            .map(|parent| self.stack.entry(parent))
    }
}

/// A frame that does not outlast its emission.
pub(crate) struct Held<'s>(Frame<'s>);

impl<'s> std::ops::Deref for Held<'s> {
    type Target = Frame<'s>;

    fn deref(&self) -> &Frame<'s> {
        &self.0
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.stack.leave(self.0.index);
    }
}

/// A chain that was put back; taken off on drop, also while a panic passes.
pub(crate) struct Resumed<'s> {
    stack: &'s Stack,
    before: usize,
    saved: Vec<Entry>,
}

impl Drop for Resumed<'_> {
    fn drop(&mut self) {
        self.stack.put(&self.saved);
        self.stack.len.set(self.before);
    }
}
