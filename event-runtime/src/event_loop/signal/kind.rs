//! What a signal is called, and its number.

use std::fmt;

/// A signal of the operating system.
///
/// On Windows `Interrupt` is Ctrl-C, `Quit` is Ctrl-Break and `Terminate` the closing of the console; there are no others.
///
/// ```
/// use tidings::Signal;
///
/// assert_eq!(Signal::from_number(2), Signal::Interrupt);
/// assert_eq!(Signal::Terminate.exit_code(), 143);
/// assert_eq!(Signal::Interrupt.to_string(), "SIGINT");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Ctrl-C: `SIGINT`.
    Interrupt,
    /// The request to end: `SIGTERM`.
    Terminate,
    /// The terminal is gone, or a service is to read its settings again: `SIGHUP`.
    Hangup,
    /// Ctrl-\\: `SIGQUIT`.
    Quit,
    /// For a meaning of the program's own: `SIGUSR1`.
    User1,
    /// For another one: `SIGUSR2`.
    User2,
    /// The terminal has another size: `SIGWINCH`.
    WindowChange,
    /// Another one, by its number. [`from_number`](Self::from_number) makes it.
    Other(i32),
}

const NAMED: [Signal; 7] = [
    Signal::Interrupt,
    Signal::Terminate,
    Signal::Hangup,
    Signal::Quit,
    Signal::User1,
    Signal::User2,
    Signal::WindowChange,
];

impl Signal {
    /// The signal of that number on this system.
    pub fn from_number(number: i32) -> Self {
        let named = NAMED.into_iter().find(|signal| signal.number() == number);
        named.unwrap_or(Signal::Other(number))
    }

    /// Its number on this system.
    #[cfg(unix)]
    pub fn number(self) -> i32 {
        use tokio::signal::unix::SignalKind;

        let kind = match self {
            Signal::Interrupt => SignalKind::interrupt(),
            Signal::Terminate => SignalKind::terminate(),
            Signal::Hangup => SignalKind::hangup(),
            Signal::Quit => SignalKind::quit(),
            Signal::User1 => SignalKind::user_defined1(),
            Signal::User2 => SignalKind::user_defined2(),
            Signal::WindowChange => SignalKind::window_change(),
            Signal::Other(number) => return number,
        };
        kind.as_raw_value()
    }

    /// Its number where signals have numbers.
    #[cfg(not(unix))]
    pub fn number(self) -> i32 {
        match self {
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
            Signal::Hangup => 1,
            Signal::Quit => 3,
            Signal::User1 => 10,
            Signal::User2 => 12,
            Signal::WindowChange => 28,
            Signal::Other(number) => number,
        }
    }

    /// The exit code that tells of an end by this signal: 128 and its number, as shells have it.
    pub fn exit_code(self) -> u8 {
        u8::try_from(self.number().saturating_add(128)).unwrap_or(u8::MAX)
    }

    /// Sends it to this process, for tests and for what a program asks of itself.
    ///
    /// # Errors
    ///
    /// If the system has no such signal.
    #[cfg(unix)]
    pub fn raise(self) -> std::io::Result<()> {
        signal_hook::low_level::raise(self.number())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
            Signal::Hangup => "SIGHUP",
            Signal::Quit => "SIGQUIT",
            Signal::User1 => "SIGUSR1",
            Signal::User2 => "SIGUSR2",
            Signal::WindowChange => "SIGWINCH",
            Signal::Other(number) => {
                #[cfg(unix)]
                if let Some(name) = signal_hook::low_level::signal_name(*number) {
                    return f.write_str(name);
                }
                return write!(f, "signal {number}");
            }
        })
    }
}
