//! What `#[tidings::main]` runs: a loop, the linked listeners on an installed bus, `main`, and an end at which nothing is lost.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::process::{ExitCode, Termination};
use std::time::Duration;

use event_core::{Bus, BusBuilder, Installed};

use super::EventLoop;
use super::error::LoopError;
use super::shutdown::not_ended;
use super::signal::Signal;

const SIGNALS: [Signal; 2] = [Signal::Interrupt, Signal::Terminate];

/// The settings of a program.
#[derive(Debug)]
pub struct Program {
    grace: Duration,
    place: &'static Location<'static>,
}

/// What the function behind the key `bus` may return.
#[diagnostic::on_unimplemented(
    message = "the function behind `bus` returns `{Self}`",
    label = "this is not a function that gives the builder back",
    note = "write `fn setup(bus: BusBuilder) -> BusBuilder`, or return a `Result` of it"
)]
pub trait Ready {
    /// The builder, or why the program cannot begin.
    ///
    /// # Errors
    ///
    /// Those of the function.
    fn ready(self) -> Result<BusBuilder, String>;
}

impl Ready for BusBuilder {
    fn ready(self) -> Result<BusBuilder, String> {
        Ok(self)
    }
}

impl<E: fmt::Display> Ready for Result<BusBuilder, E> {
    fn ready(self) -> Result<BusBuilder, String> {
        self.map_err(|error| error.to_string())
    }
}

/// The function behind `bus`, an `async fn main` and a plain one. None of them has a type parameter: a wrong function is then one error, at its place.
pub(crate) type Setup = Box<dyn FnOnce(BusBuilder) -> Result<BusBuilder, String>>;
pub(crate) type AsyncMain = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ExitCode>>>>;
pub(crate) type PlainMain = Box<dyn FnOnce() -> ExitCode>;

/// A call of its own, so that a wrong function is an error at its path.
pub fn setup<R: Ready>(bus: impl FnOnce(BusBuilder) -> R + 'static) -> Setup {
    Box::new(|builder| bus(builder).ready())
}

/// The same for a wrong return type.
pub fn async_main<T: Termination, F: Future<Output = T> + 'static>(
    main: impl FnOnce() -> F + 'static,
) -> AsyncMain {
    Box::new(|| Box::pin(async { main().await.report() }))
}

/// The same for a plain `main`.
pub fn plain_main<T: Termination>(main: impl FnOnce() -> T + 'static) -> PlainMain {
    Box::new(|| main().report())
}

impl Program {
    /// With the usual settings.
    #[track_caller]
    pub fn new() -> Self {
        Self {
            grace: Duration::from_secs(5),
            place: Location::caller(),
        }
    }

    /// How long the end may take.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Runs an `async fn main`.
    pub fn run(&self, setup: Setup, main: AsyncMain) -> ExitCode {
        self.around(setup, |lp| lp.run_main(self.place, main()))
    }

    /// Runs a plain `fn main`, which may run the loop itself.
    pub fn run_plain(&self, setup: Setup, main: PlainMain) -> ExitCode {
        self.around(setup, |lp| {
            let entered = lp.enter();
            let code = main();
            drop(entered);
            Ok(Some(code))
        })
    }

    fn around(
        &self,
        setup: Setup,
        main: impl FnOnce(&EventLoop) -> Result<Option<ExitCode>, LoopError>,
    ) -> ExitCode {
        let (lp, bus) = match self.begin(setup) {
            Ok(begun) => begun,
            Err(error) => return failed(&error),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| main(&lp)));
        let asked = lp.core.main.borrow().clone();
        let closed = self.end(&lp, &bus);
        drop(bus);
        let code = match ended {
            Err(panic) => resume_unwind(panic),
            Ok(Ok(Some(code))) => code,
            Ok(Ok(None)) => match not_ended(asked.as_deref()) {
                LoopError::Signalled(signal) => ExitCode::from(signal.exit_code()),
                LoopError::Stopped => failed(
                    &"`stop()` ended the program before its `main` had; await `cancelled()` in it to clean up",
                ),
                error => failed(&error),
            },
            Ok(Err(error)) => failed(&error),
        };
        match closed {
            Ok(()) => code,
            Err(error) => failed(&error),
        }
    }

    fn begin(&self, setup: Setup) -> Result<(EventLoop, Installed), String> {
        let text = |error: &dyn fmt::Display| error.to_string();
        let builder = EventLoop::builder().grace(self.grace);
        let lp = builder.build().map_err(|error| text(&error))?;
        // State that starts tasks has the loop to start them on.
        let entered = lp.enter();
        let bus = setup(Bus::builder().runtime(lp.remote()))?;
        let bus = bus.build().map_err(|error| text(&error))?;
        drop(entered);
        // The listeners hear of a signal before `main` is dropped for it.
        lp.emit_signals(&bus, SIGNALS)
            .and_then(|()| lp.stop_on_signals(SIGNALS))
            .map_err(|error| text(&error))?;
        let bus = bus.install().map_err(|error| text(&error))?;
        Ok((lp, bus.drain_for(self.grace)))
    }

    /// Delivers what the bus has accepted, then ends the tasks.
    fn end(&self, lp: &EventLoop, bus: &Bus) -> Result<(), LoopError> {
        if lp.is_closed() {
            return Ok(());
        }
        // Also for a plain `main`: a first signal that comes now is not to stop what ends by itself.
        lp.end_main(self.place);
        let drained = self.drain(lp, bus);
        let ended = lp.shutdown(self.grace);
        drained.and(ended.map(|left| lp.tell_dropped(left.tasks)))
    }

    /// Until the bus has delivered, whatever ends the run of the loop before that. The first fatal error is given back.
    fn drain(&self, lp: &EventLoop, bus: &Bus) -> Result<(), LoopError> {
        let mut shutdown = pin!(bus.shutdown(self.grace));
        let mut fatal = Ok(());
        loop {
            match lp.run_until_complete(shutdown.as_mut()) {
                // Its end is under way already.
                Err(LoopError::Stopped) => {}
                Err(error @ LoopError::Fatal(_)) => fatal = fatal.and(Err(error)),
                Err(error) => return Err(error),
                Ok(Ok(left)) => {
                    if !left.is_clean() {
                        eprintln!("tidings: {left}");
                    }
                    return fatal;
                }
                Ok(Err(error)) => {
                    eprintln!("tidings: the bus could not be shut down: {error}");
                    return fatal;
                }
            }
        }
    }
}

impl Default for Program {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

fn failed(error: &dyn fmt::Display) -> ExitCode {
    eprintln!("Error: {error}");
    ExitCode::FAILURE
}
