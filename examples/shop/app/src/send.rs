//! A shop whose purchases are heard in another: it reads, and sends them over a link.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use shop_events::{ImportFinished, ReportRequested};
use tidings::{
    Bus, ListenerInfo, QueueStats, Shutdown, WouldDeadlock,
    transport::wire::{Limits, Link, LinkClient, LinkLost, LinkOpened},
};
use tokio::{sync::watch, time::timeout};

use crate::{
    COMPLETE, INCOMPLETE,
    arguments::Job,
    closing::{Closed, StopRequested},
    import::{Figures, Import},
    link::{self, Crossed, FINISHED, PURCHASED, SENDER},
    modules::Modules,
    signals::{Signal, Signals},
};

/// How long the shop waits between two tries to reach the other, at least and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is no shop may take the connection and say nothing: a try takes as long as the patience, within these bounds.
const HANDSHAKE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// How a shop that sends has ended.
struct Sent {
    read: io::Result<()>,
    figures: Figures,
    /// Purchases that the other shop has not.
    missing: u64,
    signal: Option<Signal>,
    /// Why it was given up.
    gone: Option<String>,
    shutdown: Shutdown,
    queues: Vec<(ListenerInfo, QueueStats)>,
    crossed: Crossed,
}

/// Answers the exit status.
pub(crate) fn run(job: &Job, address: &str) -> Result<u8, Box<dyn Error>> {
    let address = link::find(address)?;
    let (lines, progress) = job.input.open()?;
    let modules = Modules::new(job, progress.clone());
    let runtime = crate::runtime()?;
    let till = modules.till(runtime.handle().clone())?;
    let counter = modules.counter()?;
    let signals = Signals::listen(&runtime)?;

    let reach = Reach::of(&till, job.patience);
    let link = {
        let _entered = runtime.enter();
        connect(&till, address, job.patience)?
    };
    let import = Import::start(till.clone(), lines, job.replay)?;
    let work = Work {
        till: &till,
        counter: &counter,
        source: job.input.name(),
        grace: job.grace,
    };
    let sent = runtime.block_on(work.send(import, signals, reach, link))?;
    progress.finish_and_clear();
    sent.read
        .map_err(|error| format!("cannot read {}: {error}", job.input))?;
    let Sent {
        figures,
        missing,
        signal,
        gone,
        ..
    } = sent;
    if figures.purchases() == 0 && signal.is_none() && gone.is_none() {
        return Err(format!("{} holds no purchases", job.input).into());
    }
    if let Some(why) = &gone {
        let patience = job.patience;
        let away = format!("{address} could not be reached for {patience:?}: {why}");
        if missing == figures.purchases() {
            return Err(format!("{away}: nothing was sent").into());
        }
        eprintln!(
            "shop: {away}: {missing} purchases that were read were not delivered, and no more are read"
        );
    }
    let source = job.input.name();
    let report = counter.emit(ReportRequested { source }).report();
    let closing = counter.emit(Closed {
        figures: Some(figures),
        signal,
        shutdown: sent.shutdown,
        queues: sent.queues,
        crossed: Some(sent.crossed),
    });
    if let Some(signal) = signal {
        return Ok(signal.status());
    }
    let failed = modules.failed() > 0 || report.failed() > 0 || closing.report().failed() > 0;
    let complete = figures.complete() && missing == 0 && gone.is_none();
    Ok(if complete && !failed {
        COMPLETE
    } else {
        INCOMPLETE
    })
}

fn connect(
    till: &Bus,
    address: SocketAddr,
    patience: Duration,
) -> Result<LinkClient, Box<dyn Error>> {
    let (least, most) = BACKOFF;
    let (shortest, longest) = HANDSHAKE;
    let limits = Limits::default().handshake(patience.clamp(shortest, longest));
    let link = Link::new(SENDER).publish(PURCHASED)?.publish(FINISHED)?;
    let link = link.backoff(least, most).limits(limits);
    Ok(link.connect_tcp(till, address)?)
}

struct Work<'a> {
    till: &'a Bus,
    counter: &'a Bus,
    source: String,
    grace: Duration,
}

impl Work<'_> {
    /// Sends what is read, however the reading ends, and closes the link.
    async fn send(
        self,
        mut import: Import,
        mut signals: Signals,
        mut reach: Reach,
        link: LinkClient,
    ) -> Result<Sent, WouldDeadlock> {
        let mut read = Ok(());
        let all = async {
            read = import.end().await;
            let figures = import.figures().await;
            self.finish(figures, read.is_ok()).await
        };
        let (mut signal, mut gone) = (None, None);
        let shutdown = tokio::select! {
            biased;
            why = reach.gone() => {
                gone = Some(why);
                None
            }
            stop = signals.first() => {
                signal = Some(stop);
                None
            }
            shutdown = all => Some(shutdown?),
        };
        let shutdown = match (shutdown, signal) {
            (Some(shutdown), _) => shutdown,
            (None, signal) => {
                import.stop();
                if let Some(signal) = signal {
                    let grace = self.grace;
                    self.counter.emit(StopRequested { signal, grace });
                    let rest = async {
                        let figures = import.figures().await;
                        self.finish(figures, false).await
                    };
                    // What takes longer the shutdown lists.
                    if let Ok(ended) = timeout(grace, rest).await {
                        ended?;
                    }
                }
                self.till.shutdown(Duration::ZERO).await?
            }
        };
        let figures = import.figures().await;
        // They are the link's, and gone with it.
        let (queues, stats) = (self.till.queues(), link.stats());
        // The other shop has everything, or will not have it.
        let grace = if gone.is_some() {
            Duration::ZERO
        } else {
            self.grace
        };
        let _late = link.close(grace).await;
        let purchases = figures.purchases();
        Ok(Sent {
            read,
            figures,
            missing: purchases - delivered(&queues),
            signal,
            gone,
            shutdown,
            queues,
            crossed: Crossed::Sent { stats, purchases },
        })
    }

    /// Waits until the other shop has all purchases, and tells it that there are no more. The bus takes none afterwards.
    async fn finish(&self, figures: Figures, whole: bool) -> Result<Shutdown, WouldDeadlock> {
        self.till.drained().await?;
        // Behind the purchases, since each topic crosses in a queue of its own.
        let finished = self.till.emit(ImportFinished {
            source: self.source.clone(),
            purchases: figures.purchases(),
            whole,
        });
        finished.await;
        self.till.shutdown(Duration::MAX).await
    }
}

/// How many purchases the other shop has taken.
fn delivered(queues: &[(ListenerInfo, QueueStats)]) -> u64 {
    let id = format!("link:{SENDER}/{PURCHASED}");
    let queue = queues.iter().find(|(listener, _)| listener.id() == id);
    queue.map_or(0, |(_, figures)| figures.delivered)
}

/// Whether the other shop can be reached.
struct Reach(watch::Receiver<Option<String>>);

impl Reach {
    /// Listens to what the link says. The other shop is given up at a try that fails when it was away for too long, and so not because this process
    /// was stopped for a time.
    fn of(till: &Bus, patience: Duration) -> Self {
        let (give_up, gone) = watch::channel(None);
        let away = Arc::new(Mutex::new(Some(Instant::now())));
        let since = Arc::clone(&away);
        till.on(move |_: &LinkOpened| {
            *since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        })
        .forever();
        till.on(move |lost: &LinkLost| {
            let mut away = away.lock().unwrap_or_else(PoisonError::into_inner);
            if away.get_or_insert_with(Instant::now).elapsed() >= patience {
                give_up.send_replace(Some(lost.why.clone()));
            }
        })
        .forever();
        Self(gone)
    }

    /// Why the other shop was given up, when it was.
    async fn gone(&mut self) -> String {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(why)) => why.clone(),
            // The bus is gone, so no more will be told.
            _ => std::future::pending().await,
        }
    }
}
