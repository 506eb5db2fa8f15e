//! Requests of this side on their way to the peer, and who waits for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use bytes::Bytes;

use super::end::lock;
use crate::wire::envelope::Envelope;
use crate::wire::proto::frame::Fault;
use crate::wire::proto::session::NotTaken;

/// A request on its way to a session.
pub(super) struct Ask {
    pub(super) offer: usize,
    pub(super) envelope: Envelope,
    pub(super) payload: Bytes,
    pub(super) answered: Answered,
}

/// What is done with an answer.
pub(super) type Answered = Box<dyn FnOnce(Result<Bytes, Fault>) + Send>;

/// No lock is held while an answer is given, as that is code of the program.
#[derive(Default)]
pub(super) struct Asking(Mutex<Requests>);

#[derive(Default)]
struct Requests {
    last: u64,
    /// What the session has not seen, in order.
    unsent: BTreeMap<u64, Ask>,
    /// What waits for an answer, by its number in the session, with its number here.
    waiting: HashMap<u64, (u64, Answered)>,
    /// Their numbers in the session.
    calls: HashMap<u64, u64>,
    /// Those in the session that nobody waits for any more.
    given_up: Vec<u64>,
}

impl Asking {
    /// A number for a request.
    pub(super) fn number(&self) -> u64 {
        let mut requests = lock(&self.0);
        requests.last += 1;
        requests.last
    }

    /// Adds the request that has this number.
    pub(super) fn add(&self, number: u64, ask: Ask) {
        lock(&self.0).unsent.insert(number, ask);
    }

    /// Whoever asked waits no longer.
    pub(super) fn give_up(&self, number: u64) {
        let mut requests = lock(&self.0);
        let unsent = requests.unsent.remove(&number);
        let waiting = requests.calls.remove(&number).and_then(|call| {
            requests.given_up.push(call);
            requests.waiting.remove(&call)
        });
        drop(requests);
        drop((unsent, waiting));
    }

    /// Hands requests to the session, and back what it does not take.
    pub(super) fn send(
        &self,
        mut request: impl FnMut(&Ask) -> Result<u64, NotTaken>,
    ) -> Vec<(Answered, NotTaken)> {
        let mut refused = Vec::new();
        let mut requests = lock(&self.0);
        while let Some((number, ask)) = requests.unsent.pop_first() {
            match request(&ask) {
                Ok(call) => {
                    requests.waiting.insert(call, (number, ask.answered));
                    requests.calls.insert(number, call);
                }
                Err(why) => refused.push((ask.answered, why)),
            }
        }
        drop(requests);
        refused
    }

    /// What the session need not wait for.
    pub(super) fn given_up(&self) -> Vec<u64> {
        std::mem::take(&mut lock(&self.0).given_up)
    }

    /// Who waits for the answer to a request, and does so no longer.
    pub(super) fn answered(&self, call: u64) -> Option<Answered> {
        let mut requests = lock(&self.0);
        let (number, answered) = requests.waiting.remove(&call)?;
        requests.calls.remove(&number);
        Some(answered)
    }

    /// All who wait, when nobody will answer.
    pub(super) fn lose(&self) -> Vec<Answered> {
        let mut requests = lock(&self.0);
        requests.given_up.clear();
        requests.calls.clear();
        let waiting = std::mem::take(&mut requests.waiting).into_values();
        let unsent = std::mem::take(&mut requests.unsent).into_values();
        let waiting = waiting.map(|(_, answered)| answered);
        waiting.chain(unsent.map(|ask| ask.answered)).collect()
    }
}
