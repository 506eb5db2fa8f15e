use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use indicatif::ProgressBar;
use shop_alerts::AlertDesk;
use shop_events::Page;
use shop_ledger::Ledger;
use shop_loyalty::LoyaltyClub;
use shop_notifier::{NotSent, Notifier};
use tidings::{BuildError, Bus, BusBuilder, Failure, FailureKind};
use tokio::runtime::Handle;

use crate::arguments::Job;

/// What the modules remember. Two buses give it to their listeners.
pub(crate) struct Modules {
    ledger: Arc<Ledger>,
    club: Arc<LoyaltyClub>,
    desk: Arc<AlertDesk>,
    notifier: Arc<Notifier>,
    page: Arc<Page>,
    progress: ProgressBar,
    failed: Arc<AtomicU64>,
}

impl Modules {
    pub(crate) fn new(job: &Job, progress: ProgressBar) -> Self {
        Self {
            ledger: Arc::default(),
            club: Arc::default(),
            desk: Arc::default(),
            notifier: Arc::new(Notifier::new(job.seed, job.latency)),
            page: Arc::new(Page::new(io::stdout())),
            progress,
            failed: Arc::default(),
        }
    }

    /// The bus of the purchases. It is shut down before the report, which so is about all that was read.
    pub(crate) fn trade(&self, runtime: Handle) -> Result<Bus, BuildError> {
        let (progress, failed) = (self.progress.clone(), Arc::clone(&self.failed));
        let notifier = Arc::clone(&self.notifier);
        let tell = move |failure: &Failure| {
            if failure.kind() == FailureKind::Abandoned {
                // The shutdown lists it.
            } else if let Some(not_sent) = not_sent(failure) {
                notifier.give_up(*not_sent);
            } else {
                failed.fetch_add(1, Ordering::Relaxed);
                progress.suspend(|| eprintln!("shop: {failure}"));
            }
        };
        self.builder().runtime(runtime).on_failure(tell).build()
    }

    /// The bus of the report: it still takes events when the other one is closed.
    pub(crate) fn office(&self) -> Result<Bus, BuildError> {
        self.builder().build()
    }

    /// How many deliveries of the purchases failed, those in queues among them. A customer who cannot be told is no failure
    /// of the shop.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    fn builder(&self) -> BusBuilder {
        Bus::builder()
            .state(Arc::clone(&self.ledger))
            .state(Arc::clone(&self.club))
            .state(Arc::clone(&self.desk))
            .state(Arc::clone(&self.notifier))
            .state(Arc::clone(&self.page))
            .state(self.progress.clone())
    }
}

fn not_sent(failure: &Failure) -> Option<&NotSent> {
    failure.source()?.downcast_ref()
}
