//! Attributes of other crates above and below ours, and lints that the user sets.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]
#![forbid(unsafe_code)]

use tidings::{event, listener, listeners, Bus};

/// It goes.
#[deprecated]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[event("shop.placed", serde)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
#[non_exhaustive]
#[repr(C)]
pub struct Placed {
    /// The sum.
    #[serde(default, rename = "sum")]
    pub total_sum: u32,
}

/// Hears it.
#[inline]
#[cold]
#[expect(deprecated)]
#[listener]
#[track_caller]
pub fn charge(_: &Placed) {}

/// Is deprecated itself.
#[deprecated(note = "do not call")]
#[allow(deprecated)]
#[listener]
pub fn book(_: &Placed) {}

/// Is a value that must be used.
#[allow(deprecated)]
#[must_use]
#[listener]
pub fn again(_: &Placed) -> Option<Placed> {
    None
}

/// Sends mail.
#[derive(Debug)]
pub struct Mailer;

#[listeners]
#[allow(deprecated)]
impl Mailer {
    /// Confirms.
    #[inline(always)]
    #[listener]
    #[allow(clippy::unused_self)]
    pub fn confirm(&self, _: &Placed) {}
}

#[allow(deprecated)]
fn main() {
    let bus = Bus::builder().build().expect("nothing is missing");
    let _mailer = bus.attach(std::sync::Arc::new(Mailer)).expect("nothing is missing");
    let report = bus.emit_json("shop.placed", r#"{"sum": 3}"#).expect("it fits").report();
    assert_eq!(report.ran(), 4);
}
