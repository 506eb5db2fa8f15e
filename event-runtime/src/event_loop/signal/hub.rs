//! The signals of the process: one thread hears them, whatever the loops do just now, and posts them to who asked.
//!
//! Once a kind of signal was asked for, the system's own way with it is gone for good, since tokio never puts it back. So this thread does
//! what the system did when nobody asks any more.

use std::io;
use std::panic::Location;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use event_core::WeakBus;
use tokio::runtime::{Builder, Handle};

use super::Signal;
use super::source::{self, Source};
use crate::event_loop::error::LoopError;
use crate::event_loop::shared::{Message, RemoteCall, Shared};

static HUB: Mutex<Option<Hub>> = Mutex::new(None);

struct Hub {
    /// The process that has the thread.
    process: u32,
    runtime: Handle,
    heard: Vec<Signal>,
    watches: Vec<Watch>,
    /// The loops that were asked to stop already.
    asked: Vec<u64>,
}

/// What a loop wants to be told of.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) shared: Arc<Shared>,
    pub(super) signal: Signal,
    pub(super) want: Want,
    /// The bus that was current then.
    pub(super) bus: u64,
    pub(super) place: &'static Location<'static>,
}

#[derive(Clone)]
pub(super) enum Want {
    /// The loop's handler is called.
    Call,
    /// It becomes an event on the bus of that number.
    Emit(u64, WeakBus),
    /// The loop is asked to stop; the next one ends the process.
    Stop,
}

impl Want {
    /// Whether one takes the place of the other.
    fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Want::Call, Want::Call) | (Want::Stop, Want::Stop) => true,
            (Want::Emit(bus, _), Want::Emit(other, _)) => bus == other,
            _ => false,
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Hub>> {
    HUB.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    fn start() -> Result<Self, LoopError> {
        let runtime = Builder::new_current_thread().enable_io().build();
        let runtime = runtime.map_err(LoopError::Driver)?;
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new().name("tidings:signals".to_owned());
        let run = move || runtime.block_on(std::future::pending::<()>());
        thread.spawn(run).map_err(LoopError::Driver)?;
        Ok(Self {
            process: process::id(),
            runtime: handle,
            heard: Vec::new(),
            watches: Vec::new(),
            asked: Vec::new(),
        })
    }

    fn listen(&mut self, signal: Signal) -> Result<(), LoopError> {
        if self.process != process::id() {
            return Err(LoopError::Driver(io::Error::other(
                "a fork of a process that handles signals has nobody who hears them; start a program instead",
            )));
        }
        if self.heard.contains(&signal) {
            return Ok(());
        }
        let entered = self.runtime.enter();
        let source = Source::new(signal);
        drop(entered);
        let mut source = source.map_err(|error| LoopError::SignalRefused(signal, error))?;
        self.heard.push(signal);
        self.runtime.spawn(async move {
            while source.next().await.is_some() {
                arrived(signal);
            }
        });
        Ok(())
    }
}

/// Has these signals heard from now on. Nothing is left to be done by the system.
pub(super) fn listen(signals: &[Signal]) -> Result<(), LoopError> {
    let mut hub = lock();
    if hub.is_none() {
        *hub = Some(Hub::start()?);
    }
    if let Some(hub) = &mut *hub {
        signals.iter().try_for_each(|signal| hub.listen(*signal))?;
    }
    Ok(())
}

/// Tells a loop of a signal that is heard. It takes the place of a watch for the same.
pub(super) fn watch(watch: Watch) {
    if let Some(hub) = &mut *lock() {
        let is_same = |other: &Watch| {
            other.shared.id == watch.shared.id
                && other.signal == watch.signal
                && watch.want.replaces(&other.want)
        };
        match hub.watches.iter_mut().find(|other| is_same(other)) {
            Some(other) => *other = watch,
            None => hub.watches.push(watch),
        }
    }
}

/// Takes the watches of a loop out that want this; of one signal, or of all but some. Whether there were any.
pub(super) fn unwatch(id: u64, want: &Want, is_over: impl Fn(Signal) -> bool) -> bool {
    let mut hub = lock();
    let Some(hub) = &mut *hub else { return false };
    if matches!(want, Want::Stop) {
        hub.asked.retain(|asked| *asked != id);
    }
    let before = hub.watches.len();
    hub.watches.retain(|watch| {
        watch.shared.id != id || !want.replaces(&watch.want) || !is_over(watch.signal)
    });
    hub.watches.len() < before
}

/// The loop is closed.
pub(in crate::event_loop) fn forget(id: u64) {
    if let Some(hub) = &mut *lock() {
        hub.watches.retain(|watch| watch.shared.id != id);
        hub.asked.retain(|asked| *asked != id);
    }
}

/// What nobody hears is the system's again.
pub(super) fn unheard(signal: Signal) {
    let is_heard = lock().as_ref().is_some_and(|hub| {
        let mut watches = hub.watches.iter();
        watches.any(|watch| watch.signal == signal)
    });
    if !is_heard {
        source::default(signal);
    }
}

fn arrived(signal: Signal) {
    let mut hub = lock();
    let Some(open) = &mut *hub else { return };
    let watches = open.watches.iter().filter(|watch| watch.signal == signal);
    let mut watches: Vec<Watch> = watches.cloned().collect();
    for watch in &watches {
        if matches!(watch.want, Want::Stop) {
            if open.asked.contains(&watch.shared.id) {
                source::end(signal);
            }
            open.asked.push(watch.shared.id);
        }
    }
    drop(hub);
    let mut was_taken = false;
    while let Some(first) = watches.first() {
        let shared = Arc::clone(&first.shared);
        // Together: what a listener of the signal does, a stop for example, comes after all that was asked for.
        let (own, others): (Vec<Watch>, Vec<Watch>) =
            (watches.into_iter()).partition(|watch| watch.shared.id == shared.id);
        watches = others;
        if shared.post_all(own.into_iter().map(Watch::message).collect()) {
            was_taken = true;
        } else {
            forget(shared.id);
        }
    }
    if !was_taken {
        source::default(signal);
    }
}

impl Watch {
    fn message(self) -> Message {
        let Self {
            shared: _,
            signal,
            want,
            bus,
            place,
        } = self;
        let call = RemoteCall {
            f: Box::new(move |lp| match want {
                Want::Call => lp.core.handle_signal(lp, signal),
                Want::Emit(number, bus) => {
                    lp.emit_signal(signal, number, &bus, place);
                    Ok(())
                }
                Want::Stop => {
                    lp.stop_for(signal);
                    Ok(())
                }
            }),
            bus,
            place,
        };
        Message::Call(call)
    }
}
