//! From the last line to the last delivery, however the reading ends.

use std::{io, time::Duration};

use tidings::{Bus, ListenerInfo, QueueStats, Shutdown, WouldDeadlock, event};
use tokio::time::{Instant, timeout_at};

use crate::{
    import::{Figures, Import},
    link::Crossed,
    signals::{Signal, Signals},
};

/// Somebody wants the shop to end.
#[event("shop.stop_requested")]
#[derive(Debug)]
pub(crate) struct StopRequested {
    /// How it was asked.
    pub(crate) signal: Signal,
    /// How long deliveries have to end.
    pub(crate) grace: Duration,
}

/// No purchase comes any more, and what was accepted is delivered or given up.
#[event("shop.closed")]
#[derive(Debug)]
pub(crate) struct Closed {
    /// What the import did, if there was one.
    pub(crate) figures: Option<Figures>,
    /// What stopped it before its end.
    pub(crate) signal: Option<Signal>,
    /// The deliveries that were given up.
    pub(crate) shutdown: Shutdown,
    /// The figures of every queue.
    pub(crate) queues: Vec<(ListenerInfo, QueueStats)>,
    /// What went over a link, if there was one.
    pub(crate) crossed: Option<Crossed>,
}

/// How the reading ended, and all after it.
pub(crate) struct End {
    pub(crate) read: io::Result<()>,
    pub(crate) figures: Figures,
    pub(crate) closed: Closed,
}

/// Waits for the end of the lines or for a signal, and shuts the bus of the purchases down.
pub(crate) async fn close(
    trade: &Bus,
    office: &Bus,
    mut import: Import,
    mut signals: Signals,
    grace: Duration,
) -> Result<End, WouldDeadlock> {
    let mut read = Ok(());
    let whole = async {
        read = import.end().await;
        trade.shutdown(Duration::MAX).await
    };
    let signal = tokio::select! {
        biased;
        signal = signals.first() => signal,
        shutdown = whole => {
            let figures = import.figures().await;
            return Ok(End { read, figures, closed: closed(trade, figures, None, shutdown?) });
        }
    };
    import.stop();
    office.emit(StopRequested { signal, grace });
    let until = Instant::now() + grace;
    // The line on its way may wait for room that does not come; then the shutdown lets it go.
    let emitted = timeout_at(until, import.figures()).await;
    let left = until.saturating_duration_since(Instant::now());
    let shutdown = trade.shutdown(left).await?;
    let figures = match emitted {
        Ok(figures) => figures,
        Err(_) => import.figures().await,
    };
    Ok(End {
        read,
        figures,
        closed: closed(trade, figures, Some(signal), shutdown),
    })
}

fn closed(trade: &Bus, figures: Figures, signal: Option<Signal>, shutdown: Shutdown) -> Closed {
    Closed {
        figures: Some(figures),
        signal,
        shutdown,
        queues: trade.queues(),
        crossed: None,
    }
}
