//! The items that no worker has begun, seen by the workers.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Without keys the items in their order, with keys the items of every key in their order.
pub(super) enum Feed<T> {
    Plain(VecDeque<T>),
    Keyed(Keyed<T>),
}

impl<T> Feed<T> {
    pub(super) fn new(keyed: bool) -> Self {
        if keyed {
            Self::Keyed(Keyed::default())
        } else {
            Self::Plain(VecDeque::new())
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        match self {
            Self::Plain(list) => !list.is_empty(),
            Self::Keyed(keyed) => !keyed.ready.is_empty(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Plain(list) => list.is_empty(),
            Self::Keyed(keyed) => keyed.items.is_empty(),
        }
    }

    /// Moves up to `most` items that may run now into `into`; they have one key, which then is busy.
    pub(super) fn take(&mut self, most: usize, into: &mut Vec<T>) -> u64 {
        match self {
            Self::Plain(list) if most == 1 => {
                into.extend(list.pop_front());
                0
            }
            Self::Plain(list) => {
                let most = most.min(list.len());
                into.extend(list.drain(..most));
                0
            }
            Self::Keyed(keyed) => keyed.take(most, into),
        }
    }

    pub(super) fn free(&mut self, key: u64) {
        if let Self::Keyed(keyed) = self {
            keyed.free(key);
        }
    }

    pub(super) fn pop_oldest(&mut self) -> Option<T> {
        match self {
            Self::Plain(list) => list.pop_front(),
            Self::Keyed(keyed) => keyed.pop_oldest(),
        }
    }

    pub(super) fn take_all(&mut self, into: &mut Vec<T>) {
        match self {
            Self::Plain(list) => into.extend(std::mem::take(list)),
            Self::Keyed(keyed) => keyed.take_all(into),
        }
    }
}

/// Items by key. Keys without items that do not run are forgotten.
pub(super) struct Keyed<T> {
    /// Every item with its key, by the number under which it came.
    items: BTreeMap<u64, (u64, T)>,
    keys: HashMap<u64, Key>,
    /// The keys that may run, by their first item.
    ready: BTreeMap<u64, u64>,
}

#[derive(Default)]
struct Key {
    numbers: VecDeque<u64>,
    /// An item of this key runs or waits for its retry.
    busy: bool,
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            keys: HashMap::new(),
            ready: BTreeMap::new(),
        }
    }
}

impl<T> Keyed<T> {
    /// Says whether one more key is ready now.
    pub(super) fn push(&mut self, key: u64, number: u64, item: T) -> bool {
        self.items.insert(number, (key, item));
        let entry = self.keys.entry(key).or_default();
        entry.numbers.push_back(number);
        let readied = !entry.busy && entry.numbers.len() == 1;
        if readied {
            self.ready.insert(number, key);
        }
        readied
    }

    /// The number of the oldest item.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.items.keys().next().copied()
    }

    fn take(&mut self, most: usize, into: &mut Vec<T>) -> u64 {
        let Some((_, key)) = self.ready.pop_first() else {
            return 0;
        };
        let Some(entry) = self.keys.get_mut(&key) else {
            return key;
        };
        entry.busy = true;
        let most = most.min(entry.numbers.len());
        for number in entry.numbers.drain(..most) {
            into.extend(self.items.remove(&number).map(|(_, item)| item));
        }
        key
    }

    fn free(&mut self, key: u64) {
        let Some(entry) = self.keys.get_mut(&key) else {
            return;
        };
        entry.busy = false;
        if let Some(first) = entry.numbers.front() {
            self.ready.insert(*first, key);
        } else {
            self.keys.remove(&key);
        }
    }

    fn pop_oldest(&mut self) -> Option<T> {
        let (number, (key, item)) = self.items.pop_first()?;
        if let Some(entry) = self.keys.get_mut(&key) {
            // The oldest of all is the oldest of its key.
            entry.numbers.pop_front();
            self.ready.remove(&number);
            if !entry.busy {
                self.free(key);
            }
        }
        Some(item)
    }

    fn take_all(&mut self, into: &mut Vec<T>) {
        let items = std::mem::take(&mut self.items);
        into.extend(items.into_values().map(|(_, item)| item));
        self.ready.clear();
        self.keys.retain(|_, entry| {
            entry.numbers.clear();
            entry.busy
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(feed: &mut Feed<u64>, most: usize) -> (u64, Vec<u64>) {
        let mut items = Vec::new();
        let key = feed.take(most, &mut items);
        (key, items)
    }

    fn keyed(items: &[(u64, u64)]) -> Feed<u64> {
        let mut keyed = Keyed::default();
        for (number, (key, item)) in (0..).zip(items) {
            keyed.push(*key, number, *item);
        }
        Feed::Keyed(keyed)
    }

    #[test]
    fn a_busy_key_waits_and_others_go_on() {
        let mut feed = keyed(&[(1, 10), (1, 11), (2, 20)]);

        assert_eq!(take(&mut feed, 1), (1, vec![10]));
        assert_eq!(take(&mut feed, 1), (2, vec![20]));
        assert!(!feed.has_ready());
        feed.free(1);
        assert_eq!(take(&mut feed, 1), (1, vec![11]));
    }

    #[test]
    fn a_batch_has_one_key() {
        let mut feed = keyed(&[(1, 10), (2, 20), (1, 11), (1, 12)]);

        assert_eq!(take(&mut feed, 2), (1, vec![10, 11]));
        assert_eq!(take(&mut feed, 2), (2, vec![20]));
    }

    #[test]
    fn the_oldest_goes_whatever_its_key_does() {
        let mut feed = keyed(&[(1, 10), (1, 11), (2, 20), (1, 12)]);
        take(&mut feed, 1);

        assert_eq!(feed.pop_oldest(), Some(11));
        assert_eq!(feed.pop_oldest(), Some(20));
        assert!(!feed.has_ready());
        feed.free(1);
        assert_eq!(take(&mut feed, 1), (1, vec![12]));
    }

    #[test]
    fn keys_without_items_are_forgotten() {
        let mut feed = keyed(&[(1, 10), (2, 20), (3, 30)]);

        let (key, _) = take(&mut feed, 1);
        feed.free(key);
        feed.pop_oldest();
        let mut rest = Vec::new();
        feed.take_all(&mut rest);

        let Feed::Keyed(keyed) = feed else {
            unreachable!("it was made with keys")
        };
        assert_eq!(rest, [30]);
        assert!(keyed.keys.is_empty() && keyed.ready.is_empty());
    }
}
