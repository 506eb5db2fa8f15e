use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shop_events::Grouped;

use crate::{
    message::{Message, NotSent, Occasion},
    service::Service,
};

/// How many of the customers who could not be told the report names.
const NAMED: usize = 5;

/// The notifier and its way to the outside service: the state that a bus gives to its listeners.
#[derive(Debug)]
pub struct Notifier {
    service: Service,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    loyal_customers: u64,
    large_orders: u64,
    not_sent: Vec<NotSent>,
}

impl Notifier {
    /// A notifier whose service has the luck of `seed` and takes `latency` for a message.
    #[must_use]
    pub fn new(seed: u64, latency: Duration) -> Self {
        Self {
            service: Service::new(seed, latency),
            told: Mutex::default(),
        }
    }

    /// Notes a message that is not tried again.
    ///
    /// Only the bus knows which try was the last one, so its failure hook hands over what the listeners returned.
    pub fn give_up(&self, message: NotSent) {
        self.told().not_sent.push(message);
    }

    pub(crate) async fn send(&self, message: Message) -> Result<(), NotSent> {
        self.service.send(message).await?;
        let mut told = self.told();
        match message.occasion {
            Occasion::BecameLoyal => told.loyal_customers += 1,
            Occasion::LargeOrder(_) => told.large_orders += 1,
        }
        Ok(())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told();
        let mut not_sent = told.not_sent.clone();
        // Several workers met them, in no order.
        not_sent.sort_unstable();
        writeln!(
            f,
            "loyal customers told {:>8}",
            Grouped(told.loyal_customers)
        )?;
        writeln!(f, "large orders thanked {:>8}", Grouped(told.large_orders))?;
        writeln!(
            f,
            "requests             {:>8}",
            Grouped(self.service.requests())
        )?;
        writeln!(
            f,
            "could not be told    {:>8}",
            Grouped(not_sent.len() as u64)
        )?;
        not_sent
            .iter()
            .take(NAMED)
            .try_for_each(|not_sent| writeln!(f, "  {not_sent}"))
    }
}
