//! The sessions of a server, with a connection or without.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::end::{End, lock};
use crate::wire::access::Identity;
use crate::wire::error::WireError;
use crate::wire::proto::frame::Hello;
use crate::wire::proto::session::SessionStats;

/// The most of one server; who has none is told to come again.
pub(super) const MOST: usize = 1024;
/// The most of one identity, so that it leaves some for others.
const MOST_OF_ONE: usize = MOST / 4;

#[derive(Default)]
pub(super) struct Sessions(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// By identity, and the id that the peer gave its session.
    all: HashMap<Key, Place>,
    /// Who has parted does not come again.
    closing: bool,
    /// How often a session was left without a connection.
    left: u64,
}

type Key = (Identity, u64);

struct Place {
    end: Arc<End>,
    /// How the peer calls its link.
    link: String,
    /// How many connections it has, older ones that have not noticed too.
    connections: usize,
    /// When the last one was gone, as a number that grows.
    left: u64,
}

/// A connection's hold on its session, until this is dropped.
pub(super) struct Joined<'a> {
    sessions: &'a Sessions,
    key: Key,
    pub(super) end: Arc<End>,
}

impl Sessions {
    /// The session of a peer that said hello, if need be a new one.
    pub(super) fn join(
        &self,
        identity: &Identity,
        hello: &Hello,
        new: impl FnOnce() -> Arc<End>,
    ) -> Result<Joined<'_>, WireError> {
        let key = (identity.clone(), hello.session);
        let mut table = lock(&self.0);
        let gone = if table.all.contains_key(&key) {
            None
        } else {
            table.make_room(identity)?
        };
        let place = table.all.entry(key.clone()).or_insert_with(|| Place {
            end: new(),
            link: hello.link.clone(),
            connections: 0,
            left: 0,
        });
        place.connections += 1;
        let joined = Joined {
            sessions: self,
            end: Arc::clone(&place.end),
            key,
        };
        drop(table);
        // What it has in its queues is reported, where no lock is held.
        if let Some(end) = gone {
            end.discard();
        }
        Ok(joined)
    }

    /// Takes no new ones; those there are.
    pub(super) fn close(&self) -> Vec<Arc<End>> {
        let mut table = lock(&self.0);
        table.closing = true;
        table.all.values().map(|it| Arc::clone(&it.end)).collect()
    }

    /// Forgets those that are so.
    fn forget(&self, gone: impl Fn(&Key, &Place) -> bool) {
        let mut forgotten = Vec::new();
        lock(&self.0).all.retain(|key, place| {
            let gone = gone(key, place);
            forgotten.extend(gone.then(|| Arc::clone(&place.end)));
            !gone
        });
        // What they have in their queues is reported, where no lock is held.
        for end in forgotten {
            end.discard();
        }
    }

    /// Forgets one that had no connection after this one.
    pub(super) fn forget_since(&self, end: &Arc<End>, generation: u64) {
        self.forget(|_, it| Arc::ptr_eq(&it.end, end) && end.is_current(generation));
    }

    pub(super) fn forget_all(&self) {
        self.forget(|_, _| true);
    }

    /// The figures of each, by the name of its peer.
    pub(super) fn stats(&self) -> Vec<(String, SessionStats)> {
        let table = lock(&self.0);
        let ends = table.all.values().map(|it| &it.end);
        let mut all: Vec<_> = ends.map(|end| (end.peer(), end.stats())).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

impl Table {
    /// Lets one more session of an identity have a place, if need be that of the one which it left first.
    fn make_room(&mut self, identity: &Identity) -> Result<Option<Arc<End>>, WireError> {
        if self.closing {
            return Err(WireError::Closing);
        }
        let own = self.all.iter().filter(|((of, _), _)| of == identity);
        let limit = if own.clone().count() >= MOST_OF_ONE {
            MOST_OF_ONE
        } else if self.all.len() >= MOST {
            MOST
        } else {
            return Ok(None);
        };
        let unused = own.filter(|(_, place)| place.connections == 0);
        let first = unused.min_by_key(|(_, place)| place.left);
        let Some(first) = first.map(|(key, _)| key.clone()) else {
            return Err(WireError::Busy { limit });
        };
        Ok(self.all.remove(&first).map(|place| place.end))
    }
}

impl Joined<'_> {
    /// The peer was started anew: what it had before is not resumed, and must not hold up those who emit.
    pub(super) fn take_over(&self, link: &str) {
        let (identity, _) = &self.key;
        let former = |place: &Place| place.link == link && place.connections == 0;
        self.sessions
            .forget(|(of, _), place| of == identity && former(place));
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let mut table = lock(&self.sessions.0);
        table.left += 1;
        let left = table.left;
        if let Some(place) = table.all.get_mut(&self.key) {
            if Arc::ptr_eq(&place.end, &self.end) {
                place.connections -= 1;
                place.left = left;
            }
        }
    }
}
