//! A `tokio` broadcast channel whose receivers are drained on the sending thread.

use tokio::sync::broadcast;

use crate::harness::Contestant;
use crate::work;

#[derive(Clone)]
struct Paid {
    amount: u64,
}

pub(super) fn contestant(name: &'static str, listeners: usize) -> Contestant {
    let (sender, _) = broadcast::channel(16);
    let mut receivers: Vec<_> = (0..listeners).map(|_| sender.subscribe()).collect();
    Contestant::new(name, listeners, move |amount| {
        let reached = sender.send(Paid { amount }).map_or(0, |reached| reached);
        assert_eq!(reached, receivers.len(), "every receiver is kept");
        for (number, receiver) in receivers.iter_mut().enumerate() {
            if let Ok(event) = receiver.try_recv() {
                work::add(event.amount, number);
            }
        }
    })
}
