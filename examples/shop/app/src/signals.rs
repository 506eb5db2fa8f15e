//! Ctrl-C and its like: the first one asks the shop to stop, the second one ends it.

use std::{fmt, io, process};

use tokio::{runtime::Runtime, sync::watch};

/// What asked the shop to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    #[cfg(unix)]
    Terminate,
}

/// The signals of this process.
pub(crate) struct Signals(watch::Receiver<Option<Signal>>);

impl Signals {
    /// Listens from now on, in a task of the runtime.
    pub(crate) fn listen(runtime: &Runtime) -> io::Result<Self> {
        let _entered = runtime.enter();
        let mut source = Source::new()?;
        let (tell, signals) = watch::channel(None);
        runtime.spawn(async move {
            tell.send_replace(Some(source.next().await));
            let again = source.next().await;
            process::exit(again.status().into());
        });
        Ok(Self(signals))
    }

    /// The first signal.
    pub(crate) async fn first(&mut self) -> Signal {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(&Some(signal)) => signal,
            // The task is gone with its runtime, so no signal will come.
            _ => std::future::pending().await,
        }
    }
}

impl Signal {
    /// The exit status of a process that this signal ended, as a shell tells it: 128 and the signal's number.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            #[cfg(unix)]
            Self::Terminate => 143,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            #[cfg(unix)]
            Self::Terminate => "SIGTERM",
        })
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(windows)]
struct Source(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Source {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> Signal {
        self.0.recv().await;
        Signal::Interrupt
    }
}
