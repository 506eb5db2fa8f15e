//! The sessions of a server, with a connection or without.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::end::{End, lock};
use super::waiting::Waiting;
use crate::wire::access::Identity;
use crate::wire::error::WireError;
use crate::wire::proto::frame::Hello;
use crate::wire::proto::session::SessionStats;

/// How many sessions there may be; who finds no place is told to come again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) all: usize,
    /// So that one identity leaves some for others.
    pub(super) of_one: usize,
}

pub(super) struct Sessions(Mutex<Table>);

struct Table {
    places: Places,
    /// By identity, and the id that the peer gave its session.
    all: HashMap<Identity, HashMap<u64, Place>>,
    /// How many there are.
    count: usize,
    /// What came with sessions that are gone and waits for the bus. It has their places, or a peer with ever new sessions would have memory without end.
    waiting: HashMap<Identity, Vec<Arc<Waiting>>>,
    /// Who has parted does not come again.
    closing: bool,
    /// How often a session was left without a connection.
    left: u64,
    /// The figures of those that are forgotten.
    gone: SessionStats,
}

/// By which a session is found.
pub(super) type Key = (Identity, u64);

struct Place {
    end: Arc<End>,
    /// How the peer calls its link.
    link: String,
    /// What tells the starts of the peer's program apart.
    origin: u64,
    /// The program was started anew: nobody comes for what the former one left.
    superseded: bool,
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
    has_left: bool,
}

impl Sessions {
    pub(super) fn new(places: Places) -> Self {
        Self(Mutex::new(Table {
            places,
            all: HashMap::new(),
            count: 0,
            waiting: HashMap::new(),
            closing: false,
            left: 0,
            gone: SessionStats::default(),
        }))
    }

    /// The session of a peer that said hello, if need be a new one.
    pub(super) fn join(
        &self,
        identity: &Identity,
        hello: &Hello,
        new: impl FnOnce() -> Arc<End>,
    ) -> Result<Joined<'_>, WireError> {
        let key = (identity.clone(), hello.session);
        let mut table = lock(&self.0);
        let gone = if table.find(&key).is_some() {
            None
        } else {
            let gone = table.make_room(identity)?;
            table.count += 1;
            let place = Place {
                end: new(),
                link: hello.link.clone(),
                origin: hello.origin,
                superseded: false,
                connections: 0,
                left: 0,
            };
            let own = table.all.entry(identity.clone()).or_default();
            own.insert(hello.session, place);
            gone
        };
        let end = table.find(&key).map(|place| {
            place.connections += 1;
            // Whoever is here was not started anew.
            place.superseded = false;
            Arc::clone(&place.end)
        });
        let end = end.expect("it was there, or was put there");
        drop(table);
        // What it has in its queues is reported, where no lock is held.
        if let Some(end) = gone {
            end.discard();
        }
        Ok(Joined {
            sessions: self,
            key,
            end,
            has_left: false,
        })
    }

    /// Takes no new ones; those there are.
    pub(super) fn close(&self) -> Vec<Arc<End>> {
        let mut table = lock(&self.0);
        table.closing = true;
        table.ends().cloned().collect()
    }

    /// Forgets one that had no connection after this one.
    pub(super) fn forget_since(&self, key: &Key, end: &Arc<End>, generation: u64) {
        let mut table = lock(&self.0);
        let is_it = |it: &mut Place| Arc::ptr_eq(&it.end, end) && end.is_current(generation);
        if table.find(key).is_some_and(is_it) {
            table.remove(key);
            drop(table);
            end.discard();
        }
    }

    pub(super) fn forget_all(&self) {
        let mut table = lock(&self.0);
        table.count = 0;
        let all = std::mem::take(&mut table.all);
        drop(table);
        for place in all.into_values().flat_map(HashMap::into_values) {
            place.end.discard();
        }
    }

    /// The figures of each, by the name of its peer.
    pub(super) fn each(&self) -> Vec<(String, SessionStats)> {
        let table = lock(&self.0);
        let mut all: Vec<_> = table.ends().map(|end| (end.peer(), end.stats())).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// The figures of all there were.
    pub(super) fn sum(&self) -> SessionStats {
        let table = lock(&self.0);
        let add = |sum: SessionStats, end: &Arc<End>| sum.plus(&end.stats());
        table.ends().fold(table.gone, add)
    }
}

impl Table {
    fn ends(&self) -> impl Iterator<Item = &Arc<End>> {
        let places = self.all.values().flat_map(HashMap::values);
        places.map(|place| &place.end)
    }

    fn find(&mut self, (identity, session): &Key) -> Option<&mut Place> {
        self.all.get_mut(identity)?.get_mut(session)
    }

    fn remove(&mut self, (identity, session): &Key) -> Option<Arc<End>> {
        let own = self.all.get_mut(identity)?;
        let place = own.remove(session)?;
        self.count -= 1;
        self.gone = self.gone.plus(&place.end.stats());
        if own.is_empty() {
            self.all.remove(identity);
        }
        let waiting = &place.end.waiting;
        if !waiting.is_over() {
            let all = self.waiting.entry(identity.clone()).or_default();
            all.push(Arc::clone(waiting));
        }
        Some(place.end)
    }

    /// Lets one more session of an identity have a place, if need be that of the one which it left first.
    fn make_room(&mut self, identity: &Identity) -> Result<Option<Arc<End>>, WireError> {
        if self.closing {
            return Err(WireError::Closing);
        }
        self.waiting.retain(|_, all| {
            all.retain(|waiting| !waiting.is_over());
            !all.is_empty()
        });
        let waiting: usize = self.waiting.values().map(Vec::len).sum();
        let waiting_of_one = self.waiting.get(identity).map_or(0, Vec::len);
        let own = self.all.get(identity);
        let Places { all, of_one } = self.places;
        let limit = if own.map_or(0, HashMap::len) + waiting_of_one >= of_one {
            of_one
        } else if self.count + waiting >= all {
            all
        } else {
            return Ok(None);
        };
        let unused = own.into_iter().flatten();
        // One for which something waits would not leave its place.
        let unused =
            unused.filter(|(_, place)| place.connections == 0 && place.end.waiting.is_over());
        let first = unused.min_by_key(|(_, place)| place.left);
        let Some(first) = first.map(|(session, _)| *session) else {
            return Err(WireError::Busy { limit });
        };
        Ok(self.remove(&(identity.clone(), first)))
    }
}

impl Joined<'_> {
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The peer began anew: what it had before is not resumed, and must not hold up those who emit. A session of a former start may have a connection of which
    /// nobody knows the end; that is left to end. One of the same start that has a connection is another link.
    pub(super) fn take_over(&self, hello: &Hello) {
        let (identity, own) = &self.key;
        let mut table = lock(&self.sessions.0);
        let mut gone = Vec::new();
        for (session, place) in table.all.get_mut(identity).into_iter().flatten() {
            let away = place.connections == 0;
            if session != own && place.link == hello.link {
                place.superseded |= away || place.origin != hello.origin;
                gone.extend(away.then_some((identity.clone(), *session)));
            }
        }
        let gone: Vec<_> = gone.iter().filter_map(|key| table.remove(key)).collect();
        drop(table);
        // What they have in their queues is reported, where no lock is held.
        for end in gone {
            end.discard();
        }
    }

    /// Leaves the session; whether its program was started anew, so that nobody comes for it.
    pub(super) fn leave(mut self) -> bool {
        self.end_hold()
    }

    fn end_hold(&mut self) -> bool {
        if std::mem::replace(&mut self.has_left, true) {
            return false;
        }
        let mut table = lock(&self.sessions.0);
        table.left += 1;
        let left = table.left;
        let place = table.find(&self.key);
        let Some(place) = place.filter(|place| Arc::ptr_eq(&place.end, &self.end)) else {
            return false;
        };
        place.connections -= 1;
        place.left = left;
        place.superseded
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.end_hold();
    }
}
