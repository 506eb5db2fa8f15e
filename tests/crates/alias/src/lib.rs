//! The library under the name `evt`: the key `crate` tells every attribute.

use std::sync::atomic::{AtomicU32, Ordering};

use evt::{event, listener, listeners, AnyEvent, Context};
use serde::{Deserialize, Serialize};

/// An order came in.
#[event("alias.placed", serde, stoppable, unheard = "error", crate = ::evt)]
#[derive(Debug, Serialize, Deserialize)]
pub struct Placed {
    /// The sum.
    pub total: u32,
}

/// It was paid.
#[event(crate = ::evt)]
#[derive(Debug)]
pub struct Paid(pub u32);

/// Some of many.
#[event("alias.page", crate = ::evt)]
#[derive(Debug)]
pub struct Page<T>(pub Vec<T>);

/// How often each listener ran.
#[derive(Debug, Default)]
pub struct Counts {
    /// `charge`.
    pub charged: AtomicU32,
    /// `audit`.
    pub audited: AtomicU32,
    /// `wire`.
    pub wired: AtomicU32,
}

/// Sync, with everything.
///
/// # Errors
///
/// Never.
#[listener(
    "alias.*", Placed, late, after = audit, when = |e| e.total > 1, id = "charge", emits(Paid), crate = ::evt
)]
pub fn charge(
    e: &Placed,
    counts: &Counts,
    _cx: Context<'_>,
) -> Result<Option<Paid>, std::fmt::Error> {
    counts.charged.fetch_add(1, Ordering::Relaxed);
    Ok(Some(Paid(e.total)))
}

/// Of several events.
#[listener("**", crate = ::evt)]
pub fn audit(_: &AnyEvent<'_>, counts: &Counts) {
    counts.audited.fetch_add(1, Ordering::Relaxed);
}

/// Async.
#[listener(crate = ::evt)]
pub async fn wire(_: &Paid, counts: Option<&Counts>) {
    std::future::ready(()).await;
    if let Some(counts) = counts {
        counts.wired.fetch_add(1, Ordering::Relaxed);
    }
}

/// Of a generic event.
#[listener(crate = ::evt)]
pub fn list(_: &Page<u8>) {}

/// Methods.
#[derive(Debug, Default)]
pub struct Mailer(pub AtomicU32);

#[listeners(crate = ::evt)]
impl Mailer {
    /// One by instance.
    #[listener]
    pub fn confirm(&self, _: &Placed) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One without.
    #[listener]
    pub fn count(_: &Page<u8>) {}
}
