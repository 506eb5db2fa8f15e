//! Where signals come from, and what the system would have done with them.

use std::io;
use std::process;

use super::Signal;

/// One kind of signal, as it comes.
#[cfg(unix)]
pub(super) struct Source(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Source {
    /// Needs a runtime around it.
    pub(super) fn new(signal: Signal) -> io::Result<Self> {
        use signal_hook::consts::{FORBIDDEN, SIGKILL, SIGSTOP};
        use tokio::signal::unix::{SignalKind, signal as listen};

        let number = signal.number();
        if number == SIGKILL || number == SIGSTOP {
            return Err(io::Error::other(
                "the system lets no program handle it; `Signal::Terminate` is the one that asks",
            ));
        }
        if FORBIDDEN.contains(&number) {
            return Err(io::Error::other(
                "it tells of a broken instruction of this thread, which cannot wait for a callback",
            ));
        }
        // The reason of the crates below names them.
        let unknown = |_| io::Error::other("this system has no such signal");
        listen(SignalKind::from_raw(number))
            .map(Self)
            .map_err(unknown)
    }

    /// `None` if no more can come.
    pub(super) async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}

/// What the system does with a signal that nobody handles.
#[cfg(unix)]
pub(super) fn default(signal: Signal) {
    use signal_hook::consts::SIGPIPE;

    // Rust programs ignore this one from their start.
    let is_ignored = signal.number() == SIGPIPE;
    if !is_ignored && signal_hook::low_level::emulate_default_handler(signal.number()).is_err() {
        // One without a name, such as the real-time signals, ends the process.
        process::exit(signal.exit_code().into());
    }
}

/// The same on the console of Windows.
#[cfg(windows)]
pub(super) enum Source {
    Interrupt(tokio::signal::windows::CtrlC),
    Quit(tokio::signal::windows::CtrlBreak),
    Terminate(tokio::signal::windows::CtrlClose),
}

#[cfg(windows)]
impl Source {
    pub(super) fn new(signal: Signal) -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};

        match signal {
            Signal::Interrupt => ctrl_c().map(Self::Interrupt),
            Signal::Quit => ctrl_break().map(Self::Quit),
            Signal::Terminate => ctrl_close().map(Self::Terminate),
            _ => Err(io::Error::other("this system has no such signal")),
        }
    }

    pub(super) async fn next(&mut self) -> Option<()> {
        match self {
            Self::Interrupt(source) => source.recv().await,
            Self::Quit(source) => source.recv().await,
            Self::Terminate(source) => source.recv().await,
        }
    }
}

#[cfg(windows)]
pub(super) fn default(signal: Signal) {
    process::exit(signal.exit_code().into());
}

/// Ends the process as this signal does, or with the exit code that says so.
pub(super) fn end(signal: Signal) -> ! {
    default(signal);
    process::exit(signal.exit_code().into())
}
