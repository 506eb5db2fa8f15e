//! What both ends of a link have in common: which events cross it, who may send them, and its figures.

use std::{
    fmt::{self, Display},
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Mutex, PoisonError},
};

use shop_events::Grouped;
use tidings::transport::wire::SessionStats;

/// What crosses.
pub(crate) const PURCHASED: &str = "shop.purchased";
pub(crate) const FINISHED: &str = "shop.import_finished";

/// Whoever comes over the socket is the shop that sends: plain TCP stays on this machine, where nobody else is expected.
pub(crate) const SENDER: &str = "till";

/// What was last told of a lost link, so that tries that fail alike are told once.
#[derive(Debug, Default)]
pub(crate) struct LastLoss(Mutex<Option<String>>);

impl LastLoss {
    /// Whether this is something else than was told before.
    pub(crate) fn is_new(&self, why: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.replace(why.to_owned()).as_deref() != Some(why)
    }

    /// The link is open again.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The first address that a name stands for.
pub(crate) fn find(address: &str) -> Result<SocketAddr, AddressError> {
    let fail = |error| AddressError(address.into(), error);
    let mut found = address.to_socket_addrs().map_err(fail)?;
    let none = || fail(io::Error::other("the name stands for no address"));
    found.next().ok_or_else(none)
}

/// A text that is no address.
#[derive(Debug)]
pub(crate) struct AddressError(String, io::Error);

impl Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no address: {}", self.0, self.1)
    }
}

impl std::error::Error for AddressError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.1)
    }
}

/// What went over a link, seen from one end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crossed {
    /// Of so many purchases that were read.
    Sent { stats: SessionStats, purchases: u64 },
    /// Purchases that were heard, of so many that were sent, if the other end said so.
    Heard {
        purchases: u64,
        of: Option<u64>,
        connections: u64,
        refused: u64,
    },
}

impl Display for Crossed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, number| writeln!(f, "{name:<12} {:>10}", Grouped(number));
        match *self {
            Self::Sent { stats, purchases } => {
                line("purchases", purchases)?;
                line("connections", stats.connections)?;
                line("sent", stats.sent)?;
                line("sent again", stats.resent)?;
                line("refused", stats.rejected + stats.unwanted + stats.too_long)
            }
            Self::Heard {
                purchases,
                of,
                connections,
                refused,
            } => {
                line("purchases", purchases)?;
                if let Some(of) = of {
                    line("of", of)?;
                }
                line("connections", connections)?;
                line("refused", refused)
            }
        }
    }
}
