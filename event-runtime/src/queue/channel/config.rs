//! The shape of a queue.

/// What a full queue does with one more item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Refuses it; the emitter may wait for room.
    Block,
    /// Refuses it and counts it as rejected.
    Reject,
    /// Drops the item that has waited longest.
    DropOldest,
    /// Drops the item that came.
    DropNewest,
}

/// The shape of a queue.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The most items that wait; at least 1.
    pub capacity: usize,
    /// The most workers at one time; at least 1.
    pub workers: usize,
    /// Items of one key run one after another.
    pub keyed: bool,
    /// What happens when it is full.
    pub overflow: Overflow,
    /// The most items that are given to the job at once; 1 for a job that takes one.
    pub batch: usize,
}

impl Config {
    /// A queue of this capacity with one worker, without keys, which blocks when it is full.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            workers: 1,
            keyed: false,
            overflow: Overflow::Block,
            batch: 1,
        }
    }

    /// At most this many workers at one time.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        Self {
            workers: workers.max(1),
            ..self
        }
    }

    /// Items of one key run one after another, in their order.
    #[must_use]
    pub fn keyed(self) -> Self {
        Self {
            keyed: true,
            ..self
        }
    }

    /// What happens when it is full.
    #[must_use]
    pub fn overflow(self, overflow: Overflow) -> Self {
        Self { overflow, ..self }
    }

    /// Up to this many items are given to the job at once.
    #[must_use]
    pub fn batch(self, batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            ..self
        }
    }
}
