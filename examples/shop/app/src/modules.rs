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

use crate::{arguments::Job, link::LastLoss};

/// The listeners of this package alone.
const OWN: [&str; 1] = ["shop"];

/// What the modules remember. Two buses give it to their listeners.
pub(crate) struct Modules {
    ledger: Arc<Ledger>,
    club: Arc<LoyaltyClub>,
    desk: Arc<AlertDesk>,
    notifier: Arc<Notifier>,
    page: Arc<Page>,
    progress: ProgressBar,
    loss: Arc<LastLoss>,
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
            loss: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// The bus of the purchases. It is shut down before the report, which so is about all that was read.
    pub(crate) fn trade(&self, runtime: Handle) -> Result<Bus, BuildError> {
        self.telling(self.builder()).runtime(runtime).build()
    }

    /// The bus of purchases that are heard in another shop: no module hears them here.
    pub(crate) fn till(&self, runtime: Handle) -> Result<Bus, BuildError> {
        let till = self.builder().crates(OWN);
        self.telling(till).runtime(runtime).build()
    }

    /// Has a bus tell its failures.
    fn telling(&self, builder: BusBuilder) -> BusBuilder {
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
        builder.on_failure(tell)
    }

    /// The bus of the report: it still takes events when the other one is closed.
    pub(crate) fn office(&self) -> Result<Bus, BuildError> {
        self.builder().build()
    }

    /// The bus of the report of a shop whose purchases are heard in another.
    pub(crate) fn counter(&self) -> Result<Bus, BuildError> {
        self.builder().crates(OWN).build()
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
            .state(Arc::clone(&self.loss))
    }
}

fn not_sent(failure: &Failure) -> Option<&NotSent> {
    failure.source()?.downcast_ref()
}
