//! A shop that hears the purchases of another, which sends them over a link.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use indicatif::ProgressBar;
use shop_events::{ImportFinished, Purchased, ReportRequested};
use tidings::{
    Bus, EventStream, NextFuture, Shutdown,
    transport::wire::{Access, Identity, Link, LinkClosed, LinkServer, Right, SessionStats},
};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    COMPLETE, INCOMPLETE,
    arguments::Job,
    closing::{Closed, StopRequested},
    link::{self, Crossed, FINISHED, PURCHASED, SENDER},
    modules::Modules,
    signals::{Signal, Signals},
};

/// For how long a sender may be away and go on where it was.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How a shop that serves has ended.
struct Served {
    /// What the sender said at its end.
    finished: Option<ImportFinished>,
    signal: Option<Signal>,
    shutdown: Shutdown,
    figures: SessionStats,
}

/// Answers the exit status.
pub(crate) fn run(job: &Job, address: &str) -> Result<u8, Box<dyn Error>> {
    let address = link::find(address)?;
    let modules = Modules::new(job, ProgressBar::hidden());
    let runtime = crate::runtime()?;
    let trade = modules.trade(runtime.handle().clone())?;
    let office = modules.office()?;
    let signals = Signals::listen(&runtime)?;

    let heard = count(&trade);
    let served = runtime.block_on(async {
        let said = (trade.next(), trade.stream());
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| format!("cannot listen at {address}: {error}"))?;
        let own = socket.local_addr()?;
        let server = serve(&trade, socket)?;
        eprintln!("shop: listens at {own}");
        hear(&trade, &office, server, said, signals, job.grace).await
    })?;
    let Served {
        finished,
        signal,
        shutdown,
        figures,
    } = served;
    let purchases = heard.load(Ordering::Relaxed);
    if purchases == 0 {
        return match (signal, finished) {
            (None, Some(finished)) => Err(format!("{} holds no purchases", finished.source).into()),
            (signal, _) => Ok(signal.map_or(INCOMPLETE, Signal::status)),
        };
    }

    let source = match &finished {
        Some(finished) => finished.source.clone(),
        None => address.to_string(),
    };
    let of = finished.as_ref().map(|finished| finished.purchases);
    let report = office.emit(ReportRequested { source }).report();
    let closing = office.emit(Closed {
        figures: None,
        signal,
        shutdown,
        queues: trade.queues(),
        crossed: Some(Crossed::Heard {
            purchases,
            of,
            connections: figures.connections,
            refused: figures.refused,
        }),
    });
    if let Some(signal) = signal {
        return Ok(signal.status());
    }
    let failed = modules.failed() > 0 || report.failed() > 0 || closing.report().failed() > 0;
    let complete = finished.is_some_and(|finished| tell(&finished, purchases));
    Ok(if complete && !failed {
        COMPLETE
    } else {
        INCOMPLETE
    })
}

/// Whether all of the file was heard, and each purchase once.
fn tell(finished: &ImportFinished, purchases: u64) -> bool {
    let ImportFinished {
        source,
        purchases: sent,
        whole,
    } = finished;
    if purchases != *sent {
        eprintln!(
            "shop: {purchases} purchases came and {sent} were sent: this shop or the other was started anew in between"
        );
    }
    if !whole {
        eprintln!("shop: the other shop did not read all of {source}");
    }
    purchases == *sent && *whole
}

fn serve(trade: &Bus, socket: TcpListener) -> Result<LinkServer, Box<dyn Error>> {
    let sender = Identity::new(SENDER);
    let access = Access::nothing()
        .allow(&sender, Right::Publish, PURCHASED)?
        .allow(&sender, Right::Publish, FINISHED)?;
    let link = Link::new("shop")
        .subscribe(PURCHASED)?
        .subscribe(FINISHED)?;
    // The report is of one sender: another one is told that there is one.
    let link = link.resume_within(DAY).sessions(1, 1);
    let server = link.serve(trade, access)?;
    server.listen_tcp(socket, sender)?;
    Ok(server)
}

/// Hears what comes until the sender says that these are all, or a signal does.
async fn hear(
    trade: &Bus,
    office: &Bus,
    server: LinkServer,
    (finished, closed): (NextFuture<ImportFinished>, EventStream<LinkClosed>),
    mut signals: Signals,
    grace: Duration,
) -> Result<Served, Box<dyn Error>> {
    let mut said = None;
    let all = async {
        said = Some(finished.await?.as_ref().clone());
        // One that does not come for it has been waited for.
        let _late = timeout(grace, parted(&server, closed)).await;
        Ok::<_, Box<dyn Error>>(trade.shutdown(Duration::MAX).await?)
    };
    let ended = tokio::select! {
        biased;
        signal = signals.first() => Err(signal),
        shutdown = all => Ok(shutdown?),
    };
    let (shutdown, signal) = match ended {
        Ok(shutdown) => (shutdown, None),
        Err(signal) => {
            office.emit(StopRequested { signal, grace });
            (trade.shutdown(grace).await?, Some(signal))
        }
    };
    let figures = server.stats();
    // A sender that is still there has been waited for.
    let _late = server.close(Duration::ZERO).await;
    Ok(Served {
        finished: said,
        signal,
        shutdown,
        figures,
    })
}

/// Waits until the sender has taken its leave, and so knows that everything was heard: it may have to connect once more for that.
async fn parted(server: &LinkServer, mut closed: EventStream<LinkClosed>) {
    while !server.sessions().is_empty() && closed.next().await.is_some() {}
}

/// Counts the purchases that are heard.
fn count(bus: &Bus) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    bus.on(move |_: &Purchased| {
        counted.fetch_add(1, Ordering::Relaxed);
    })
    .forever();
    count
}
