//! Signals as items of a loop: `kind` is what they are, `source` where they come from, `hub` who hears them for all loops, `handlers` what
//! a loop does with them.

mod handlers;
mod hub;
mod kind;
mod received;
mod source;

use std::panic::Location;

use event_core::private::scope::{Scope, current_bus, emit_from, number_of};
use event_core::{Bus, WeakBus};

use super::EventLoop;
use super::error::LoopError;
use super::local;
use super::outcome::{CallResult, Ended};
use super::remote::Remote;
use super::shared::Message;

pub(super) use handlers::Handlers;
pub(super) use hub::forget;
use hub::{Want, Watch};
pub use kind::Signal;
pub use received::SignalReceived;

impl EventLoop {
    /// Has `f` called for every such signal that comes to the process, as an ordinary item of the loop: in its turn, on its thread, never in the middle of
    /// something. It takes the place of this loop's handler before it. The bus that is current here is current in it.
    ///
    /// The system does nothing of its own with the signal then: Ctrl-C ends no program that handles it. Signals of one kind that come faster than they
    /// are heard may be told as one. Handlers of several loops are all called. A handler keeps no loop from being idle.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use tidings::{EventLoop, Signal};
    ///
    /// let lp = EventLoop::new()?;
    /// lp.on_signal(Signal::User1, |lp| lp.stop())?;
    /// Signal::User1.raise()?;
    /// lp.run_forever()?;
    /// assert!(lp.remove_signal(Signal::User1));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignalRefused`](LoopError::SignalRefused) for one that cannot be handled or does not exist, [`Closed`](LoopError::Closed), or
    /// [`Driver`](LoopError::Driver) if the system refuses a thread for the first of all handlers.
    #[track_caller]
    pub fn on_signal<R: CallResult>(
        &self,
        signal: Signal,
        mut f: impl FnMut(&EventLoop) -> R + 'static,
    ) -> Result<(), LoopError> {
        self.core.check_open()?;
        let signal = known(signal);
        hub::listen(&[signal])?;
        let handler = Box::new(move |lp: &EventLoop| f(lp).ended());
        self.core.set_handler(signal, handler);
        watch(&self.remote(), signal, Want::Call);
        Ok(())
    }

    /// Takes this loop's handler of the signal out; whether there was one. If nobody else asks for the signal, the system's way with it is back: for
    /// most it is the end of the process. So it is when the loop is closed.
    ///
    /// A signal that has come and whose turn has not is lost then.
    pub fn remove_signal(&self, signal: Signal) -> bool {
        self.core.drop_handler(known(signal));
        unwatch(&self.remote(), known(signal))
    }

    /// Has each of these signals emitted as a [`SignalReceived`] on the bus, in a turn of this loop; async listeners run as a task of the loop, unless the
    /// bus has a runtime. They take the place of those that this loop was asked to emit on this bus before, so that none of them ends it.
    ///
    /// It goes on until the loop is closed, and keeps no bus. Handlers of the same signals are called as well. A program of `#[tidings::main]` needs no
    /// listener like this one, since it is asked to end by itself; there `stop` asks for the same.
    ///
    /// ```standalone_crate
    /// # #[cfg(unix)] {
    /// use tidings::{Bus, EventLoop, Signal, SignalReceived, listener};
    ///
    /// #[listener]
    /// fn stop(_: &SignalReceived) {
    ///     EventLoop::current().expect("a loop runs here").stop();
    /// }
    ///
    /// let bus = Bus::builder().build()?;
    /// let lp = EventLoop::new()?;
    /// lp.emit_signals(&bus, [Signal::Interrupt, Signal::Terminate])?;
    /// Signal::Terminate.raise()?;
    /// lp.run_forever()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`on_signal`](Self::on_signal); then nothing is changed.
    #[track_caller]
    pub fn emit_signals(
        &self,
        bus: &Bus,
        signals: impl IntoIterator<Item = Signal>,
    ) -> Result<(), LoopError> {
        self.remote().emit_signals(bus, signals)
    }

    /// Has the first of these signals stop the loop gracefully, and the second one end the process at once, as the system would, even if the loop's
    /// thread is stuck. They take the place of those given before; none of them ends it.
    ///
    /// Inside [`run`](super::run) the first one asks `main` to end, as a task is [cancelled](super::JoinHandle::cancel): it is dropped at its `.await`,
    /// or has the loop's grace period if it waits for [`cancelled`](Self::cancelled). What is left is shut down then. Any other run is
    /// [stopped](Self::stop), and a host of [`turn`](Self::turn) looks at [`is_stopped`](super::Turn::is_stopped).
    ///
    /// A first signal that comes during the shutdown changes nothing, and the second one ends that too. Call it again to count anew, after a run that was
    /// stopped.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use tidings::Signal;
    /// use tidings::event_loop::{LoopError, run};
    ///
    /// let ended = run(async |lp| {
    ///     lp.stop_on_signals([Signal::Interrupt])?;
    ///     Signal::Interrupt.raise().map_err(LoopError::Driver)?;
    ///     std::future::pending::<Result<(), LoopError>>().await
    /// });
    /// assert!(matches!(ended, Err(LoopError::Signalled(Signal::Interrupt))));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`on_signal`](Self::on_signal); then nothing is changed.
    #[track_caller]
    pub fn stop_on_signals(
        &self,
        signals: impl IntoIterator<Item = Signal>,
    ) -> Result<(), LoopError> {
        watch_all(&self.remote(), signals, &Want::Stop)
    }

    /// The bus may be gone since, and then this is no reason to keep the signal from the system.
    fn emit_signal(
        &self,
        signal: Signal,
        number: u64,
        bus: &WeakBus,
        place: &'static Location<'static>,
    ) {
        if let Some(_bus) = bus.upgrade() {
            let _scope = Scope::enter(number);
            return self.adopt(emit_from(SignalReceived { signal }, place));
        }
        let want = Want::Emit(number, bus.clone());
        hub::unwatch(self.core.shared.id, &want, |_| true);
        hub::unheard(signal);
    }

    fn stop_for(&self, signal: Signal) {
        let main = self.core.main.borrow().clone();
        match main {
            Some(main) => main.ask_by(&self.core, signal),
            None => self.stop(),
        }
    }
}

impl Remote {
    /// As [`EventLoop::on_signal`], from any thread.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use std::sync::mpsc::channel;
    /// use tidings::{EventLoop, Signal};
    ///
    /// let remote = EventLoop::background()?;
    /// let (told, heard) = channel();
    /// remote.on_signal(Signal::User2, move |_| told.send("reload"))?;
    /// Signal::User2.raise()?;
    /// assert_eq!(heard.recv()?, "reload");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::on_signal`]; what `f` captured is dropped here.
    #[track_caller]
    pub fn on_signal<R: CallResult>(
        &self,
        signal: Signal,
        f: impl FnMut(&EventLoop) -> R + Send + 'static,
    ) -> Result<(), LoopError> {
        if let Some(core) = local::find(&self.shared) {
            return core.handle().on_signal(signal, f);
        }
        let signal = known(signal);
        hub::listen(&[signal])?;
        let mut f = f;
        let put_in = move |lp: &EventLoop| -> Ended {
            let handler = Box::new(move |lp: &EventLoop| f(lp).ended());
            lp.core.set_handler(signal, handler);
            Ok(())
        };
        // Before the watch, so that no signal comes before its handler.
        let sent = self.shared.post(Message::call(Location::caller(), put_in));
        sent.map_err(|_| LoopError::Closed)?;
        watch(self, signal, Want::Call);
        Ok(())
    }

    /// As [`EventLoop::remove_signal`], from any thread.
    pub fn remove_signal(&self, signal: Signal) -> bool {
        if let Some(core) = local::find(&self.shared) {
            return core.handle().remove_signal(signal);
        }
        let signal = known(signal);
        let was_there = unwatch(self, signal);
        let forget = move |lp: &EventLoop| -> Ended {
            lp.core.drop_handler(signal);
            Ok(())
        };
        // A closed loop has dropped it.
        drop(self.shared.post(Message::call(Location::caller(), forget)));
        was_there
    }

    /// As [`EventLoop::emit_signals`], from any thread: so a program on tokio, with [`EventLoop::background`] beside it, hears signals as events.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::on_signal`]; then nothing is changed.
    #[track_caller]
    pub fn emit_signals(
        &self,
        bus: &Bus,
        signals: impl IntoIterator<Item = Signal>,
    ) -> Result<(), LoopError> {
        let want = Want::Emit(number_of(bus), bus.downgrade());
        watch_all(self, signals, &want)
    }
}

/// A signal that has a name is not given by its number.
fn known(signal: Signal) -> Signal {
    Signal::from_number(signal.number())
}

#[track_caller]
fn watch(remote: &Remote, signal: Signal, want: Want) {
    hub::watch(Watch {
        shared: remote.shared.clone(),
        signal,
        want,
        bus: current_bus(),
        place: Location::caller(),
    });
}

fn unwatch(remote: &Remote, signal: Signal) -> bool {
    hub::unwatch(remote.shared.id, &Want::Call, |other| other == signal)
}

#[track_caller]
fn watch_all(
    remote: &Remote,
    signals: impl IntoIterator<Item = Signal>,
    want: &Want,
) -> Result<(), LoopError> {
    if remote.is_closed() {
        return Err(LoopError::Closed);
    }
    let signals: Vec<Signal> = signals.into_iter().map(known).collect();
    hub::listen(&signals)?;
    hub::unwatch(remote.shared.id, want, |other| !signals.contains(&other));
    for signal in signals {
        watch(remote, signal, want.clone());
    }
    Ok(())
}
