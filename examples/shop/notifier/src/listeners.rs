use std::{error::Error, io};

use shop_events::{Cents, CustomerBecameLoyal, Page, Purchased, ReportRequested};
use tidings::listener;

use crate::{
    Notifier,
    message::{Message, NotSent, Occasion},
};

/// Customers are thanked for orders above this.
const LARGE_ORDER: Cents = Cents::dollars(250);

/// A full queue makes the emission wait that made the customer loyal.
#[listener(
    id = "notifier.loyal",
    queue = 256,
    workers = 16,
    retry = 3,
    backoff = "1ms..20ms",
    retry_if = |error| is_temporary(error)
)]
async fn congratulate(loyal: &CustomerBecameLoyal, notifier: &Notifier) -> Result<(), NotSent> {
    let message = Message {
        customer: loyal.customer,
        occasion: Occasion::BecameLoyal,
    };
    notifier.send(message).await
}

/// A full queue makes the emission of the purchase wait.
#[listener(
    id = "notifier.large_order",
    when = |order| order.total > LARGE_ORDER,
    queue = 256,
    workers = 16,
    retry = 3,
    backoff = "1ms..20ms",
    retry_if = |error| is_temporary(error)
)]
async fn thank(order: &Purchased, notifier: &Notifier) -> Result<(), NotSent> {
    let message = Message {
        customer: order.customer,
        occasion: Occasion::LargeOrder(order.total),
    };
    notifier.send(message).await
}

#[listener]
fn write_notifier(_: &ReportRequested, notifier: &Notifier, page: &Page) -> io::Result<()> {
    page.section("Notifier", notifier)
}

fn is_temporary(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<NotSent>()
        .is_some_and(NotSent::is_temporary)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
        time::Duration,
    };

    use shop_events::{Cents, CustomerBecameLoyal, Date, Page, Purchased};
    use tidings::{Bus, FailureKind, QueueStats};
    use tokio::runtime::{Builder, Handle};

    use super::{NotSent, Notifier};

    const LATER: Duration = Duration::from_secs(3600);

    /// On a clock that goes on when nothing else can.
    fn run(test: impl Future<Output = ()>) {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime of one thread can always be made");
        runtime.block_on(test);
    }

    fn bus(notifier: &Arc<Notifier>, failed: &Arc<Mutex<Vec<NotSent>>>) -> Bus {
        let (hook, failed) = (Arc::clone(notifier), Arc::clone(failed));
        Bus::builder()
            .runtime(Handle::current())
            .state(Arc::clone(notifier))
            .state(Page::new(io::sink()))
            .on_failure(move |failure| {
                let source = failure.source().and_then(|source| source.downcast_ref());
                let not_sent: NotSent = *source.expect("the listeners return nothing else");
                failed
                    .lock()
                    .expect("the hook does not panic")
                    .push(not_sent);
                hook.give_up(not_sent);
            })
            .build()
            .expect("the bus has all the state that this crate asks for")
    }

    fn figures(bus: &Bus, id: &str) -> QueueStats {
        let mut queues = bus.queues().into_iter();
        let queue = queues.find(|(listener, _)| listener.id() == id);
        queue.expect("both listeners have a queue").1
    }

    fn day() -> Date {
        Date::new(1997, 1, 1).expect("the day exists because January has 31 days")
    }

    async fn tell_loyal_customers(seed: u64) -> (String, QueueStats, Vec<NotSent>) {
        let notifier = Arc::new(Notifier::new(seed, Duration::ZERO));
        let failed = Arc::default();
        let bus = bus(&notifier, &failed);
        for customer in 0..1000 {
            let date = day();
            let emission = bus.emit(CustomerBecameLoyal { customer, date });
            assert_eq!(emission.await.queued(), 1);
        }
        let shutdown = bus.shutdown(LATER).await;
        let shutdown = shutdown.expect("nothing of the bus runs here");
        assert!(shutdown.is_clean(), "{shutdown}");
        let mut failed = std::mem::take(&mut *failed.lock().expect("the hook does not panic"));
        failed.sort_unstable();
        (
            notifier.to_string(),
            figures(&bus, "notifier.loyal"),
            failed,
        )
    }

    #[test]
    fn every_customer_is_told_or_counted_and_one_seed_gives_one_page() {
        run(async {
            let (page, figures, failed) = tell_loyal_customers(7).await;

            let not_sent = failed.len() as u64;
            assert_eq!(figures.delivered + figures.failed, 1000);
            assert_eq!(figures.failed, not_sent);
            assert!(
                page.contains(&format!("told {:>8}\n", figures.delivered)),
                "{page}"
            );
            assert!(
                page.contains(&format!("could not be told    {not_sent:>8}\n")),
                "{page}"
            );
            assert!(page.contains(&format!("  {}\n", failed[0])), "{page}");
            assert_eq!(tell_loyal_customers(7).await.0, page);
            assert_ne!(tell_loyal_customers(8).await.0, page);
        });
    }

    #[test]
    fn a_busy_service_is_asked_again_and_a_missing_address_is_not() {
        run(async {
            let (page, figures, failed) = tell_loyal_customers(7).await;

            let busy = failed.iter().filter(|not_sent| not_sent.is_temporary());
            let busy = busy.count() as u64;
            let without_address = failed.len() as u64 - busy;
            assert!(busy > 0 && without_address > 0, "{failed:?}");
            // Who was busy for good was asked four times, of which three are retries.
            assert!(figures.retried > 3 * busy, "{figures:?}");
            let requests = 1000 + figures.retried;
            let line = format!(
                "requests                {},{:03}\n",
                requests / 1000,
                requests % 1000
            );
            assert!(page.contains(&line), "{page}");
        });
    }

    #[test]
    fn thanks_are_for_orders_above_the_limit() {
        run(async {
            let notifier = Arc::new(Notifier::new(7, Duration::ZERO));
            let bus = bus(&notifier, &Arc::default());
            let order = |total| Purchased {
                customer: 4,
                date: day(),
                cds: 9,
                total: Cents::new(total),
            };

            let at = bus.emit(order(25_000)).await;
            let above = bus.emit(order(25_001)).await;

            assert_eq!((at.queued(), at.skipped()), (0, 1));
            assert_eq!((above.queued(), above.skipped()), (1, 0));
            let shutdown = bus
                .shutdown(LATER)
                .await
                .expect("nothing of the bus runs here");
            assert!(shutdown.is_clean(), "{shutdown}");
            let page = notifier.to_string();
            assert!(page.contains("large orders thanked        1\n"), "{page}");
        });
    }

    #[test]
    fn what_the_service_does_not_take_in_time_is_listed() {
        run(async {
            let kinds = Arc::new(Mutex::new(Vec::new()));
            let told = Arc::clone(&kinds);
            let bus = Bus::builder()
                .runtime(Handle::current())
                .state(Notifier::new(7, 2 * LATER))
                .state(Page::new(io::sink()))
                .on_failure(move |failure| {
                    told.lock()
                        .expect("the hook does not panic")
                        .push(failure.kind());
                })
                .build()
                .expect("the bus has all the state that this crate asks for");
            for customer in 0..20 {
                let date = day();
                bus.emit(CustomerBecameLoyal { customer, date }).await;
            }

            let shutdown = bus
                .shutdown(LATER)
                .await
                .expect("nothing of the bus runs here");

            let left = &shutdown.left()[0];
            assert_eq!(left.listener().id(), "notifier.loyal");
            assert_eq!((left.waiting(), left.in_flight().len()), (4, 16));
            let kinds = kinds.lock().expect("the hook does not panic");
            assert_eq!(*kinds, [FailureKind::Abandoned; 20]);
        });
    }
}
