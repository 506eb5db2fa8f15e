//! Every form of `#[listeners]`.

use std::sync::atomic::{AtomicU32, Ordering};

use tidings::{Context, listeners};

use crate::events::{Closed, Paid};

/// Counts what it hears.
#[derive(Debug, Default)]
pub struct Counter {
    heard: AtomicU32,
}

#[listeners(crate = ::tidings)]
impl Counter {
    /// A method.
    #[listener]
    pub fn closed(&self, _: &Closed) {
        let _ = self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// A method with everything.
    ///
    /// # Errors
    ///
    /// When too deep.
    #[listener("paid", late, when = |e| e.0 > 0, id = "lints.counter.paid", after = Self::count)]
    pub fn paid(&self, e: &Paid, cx: Context<'_>) -> Result<(), std::fmt::Error> {
        let _ = self.heard.fetch_add(e.0.min(1), Ordering::Relaxed);
        if cx.depth() > 9 {
            Err(std::fmt::Error)
        } else {
            Ok(())
        }
    }

    /// An asynchronous method.
    #[listener]
    pub async fn later(&self, e: &Paid) {
        std::future::ready(()).await;
        let _ = self.heard.fetch_add(e.0.min(1), Ordering::Relaxed);
    }

    /// An associated function.
    #[listener]
    pub fn count(e: &Paid) {
        println!("{}", e.0);
    }

    /// No listener.
    pub fn heard(&self) -> u32 {
        self.heard.load(Ordering::Relaxed)
    }
}
