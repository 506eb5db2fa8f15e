use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;

use crate::message::{Message, NotSent, Occasion, Refusal};

/// Of a hundred requests, how many are answered by "not now".
const UNAVAILABLE: u64 = 25;
/// Of a hundred customers, how many have no address.
const NO_ADDRESS: u64 = 1;

/// The outside service that carries messages.
///
/// Its luck hangs on the seed, the message and how often that was tried, never on the order of the requests: they come from
/// several workers, and the output of one seed is always the same.
#[derive(Debug)]
pub(crate) struct Service {
    seed: u64,
    latency: Duration,
    tries: Mutex<HashMap<Message, u64>>,
}

impl Service {
    pub(crate) fn new(seed: u64, latency: Duration) -> Self {
        Self {
            seed,
            latency,
            tries: Mutex::default(),
        }
    }

    pub(crate) async fn send(&self, message: Message) -> Result<(), NotSent> {
        if self.latency.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(self.latency).await;
        }
        self.answer(message).map_err(|refusal| NotSent {
            customer: message.customer,
            refusal,
        })
    }

    /// How many requests came so far.
    pub(crate) fn requests(&self) -> u64 {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.values().sum()
    }

    fn answer(&self, message: Message) -> Result<(), Refusal> {
        let number = self.count(message);
        let customer = u64::from(message.customer);
        if self.draw(&[customer]) < NO_ADDRESS {
            return Err(Refusal::NoAddress);
        }
        let occasion = match message.occasion {
            Occasion::BecameLoyal => 0,
            Occasion::LargeOrder(total) => total.get(),
        };
        if self.draw(&[customer, occasion, number]) < UNAVAILABLE {
            return Err(Refusal::Unavailable);
        }
        Ok(())
    }

    /// Which try of the message this is, from one.
    fn count(&self, message: Message) -> u64 {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let number = tries.entry(message).or_default();
        *number += 1;
        *number
    }

    /// A number below a hundred, the same for the same parts.
    fn draw(&self, parts: &[u64]) -> u64 {
        let mixed = |seed, part| Rng::with_seed(seed ^ part).u64(..);
        let seed = parts.iter().fold(self.seed, mixed);
        Rng::with_seed(seed).u64(..100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(customer: u32) -> Message {
        Message {
            customer,
            occasion: Occasion::BecameLoyal,
        }
    }

    /// What each of many customers is answered at their first and second try.
    fn answers(service: &Service, order: impl Iterator<Item = u32>) -> Vec<Vec<bool>> {
        let mut answers = vec![Vec::new(); 1000];
        let order: Vec<u32> = order.collect();
        for customer in order.iter().chain(&order) {
            let taken = service.answer(message(*customer)).is_ok();
            answers[*customer as usize].push(taken);
        }
        answers
    }

    fn service(seed: u64) -> Service {
        Service::new(seed, Duration::ZERO)
    }

    #[test]
    fn one_seed_has_one_luck_in_whatever_order_the_requests_come() {
        let first = answers(&service(1), 0..1000);

        assert_eq!(answers(&service(1), (0..1000).rev()), first);
        assert_ne!(answers(&service(2), 0..1000), first);
    }

    #[test]
    fn requests_fail_as_often_as_is_said_and_are_all_counted() {
        let service = service(1);

        let answers = answers(&service, 0..1000);

        let refused = answers.iter().flatten().filter(|taken| !**taken).count();
        assert!((450..550).contains(&refused), "{refused} of 2,000");
        assert_eq!(service.requests(), 2000);
    }

    #[test]
    fn a_customer_without_an_address_has_none_at_every_try() {
        let service = service(1);
        let without = (0..1000)
            .map(message)
            .find(|&message| service.answer(message) == Err(Refusal::NoAddress));
        let without = without.expect("one in a hundred customers has no address");

        for _ in 0..10 {
            assert_eq!(service.answer(without), Err(Refusal::NoAddress));
        }
    }
}
