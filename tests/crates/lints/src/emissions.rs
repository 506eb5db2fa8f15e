//! Every way to use an emission.

use tidings::{Bus, Context, EmitError, Report, emit};

use crate::events::{Closed, Hidden, Paid};

/// Nobody asks how it went.
pub fn forget(bus: &Bus) {
    emit(Closed);
    let _ = emit(Closed);
    bus.emit(Closed);
    let _ = bus.emit(Hidden);
}

/// In a listener.
pub fn inside(cx: Context<'_>) {
    cx.emit(Closed);
    let _ = cx.emit(Closed);
}

/// The report at once.
#[must_use]
pub fn report(bus: &Bus) -> Report {
    emit(Closed).report();
    bus.emit(Closed).report()
}

/// The report, or the failure.
///
/// # Errors
///
/// When a listener fails.
pub fn result(bus: &Bus) -> Result<Report, EmitError> {
    let _ = emit(Closed).report().result()?;
    bus.emit(Closed).report().result()
}

/// The report when all is done.
pub async fn wait(bus: &Bus) -> Report {
    emit(Paid(0)).await;
    let _ = emit(Paid(0)).await;
    bus.emit(Paid(3)).await
}
