//! What an emission came to, in one word: most emissions have nothing else.

/// Three numbers: ran, queued and skipped, from the lowest bits on.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts(u64);

const RAN: u32 = 0;
const QUEUED: u32 = 22;
const SKIPPED: u32 = 43;

const RAN_MOST: u64 = (1 << (QUEUED - RAN)) - 1;
const QUEUED_MOST: u64 = (1 << (SKIPPED - QUEUED)) - 1;
const SKIPPED_MOST: u64 = (1 << (u64::BITS - SKIPPED)) - 1;

/// No more listeners than this are counted without looking whether there is room for one more.
pub(crate) const MOST: usize = (1 << (u64::BITS - SKIPPED)) - 1;

impl Counts {
    #[inline]
    pub(super) fn of(ran: u64, skipped: u64) -> Self {
        Self(ran | (skipped << SKIPPED))
    }

    pub(super) fn ran(self) -> u32 {
        self.part(RAN, RAN_MOST)
    }

    pub(super) fn queued(self) -> u32 {
        self.part(QUEUED, QUEUED_MOST)
    }

    pub(super) fn skipped(self) -> u32 {
        self.part(SKIPPED, SKIPPED_MOST)
    }

    /// One more, if there is room for it; the same of the others.
    pub(super) fn add_ran(&mut self) -> bool {
        self.add(RAN, RAN_MOST)
    }

    pub(super) fn add_queued(&mut self) -> bool {
        self.add(QUEUED, QUEUED_MOST)
    }

    pub(super) fn add_skipped(&mut self) -> bool {
        self.add(SKIPPED, SKIPPED_MOST)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "no part is as long as half a word"
    )]
    fn part(self, at: u32, most: u64) -> u32 {
        ((self.0 >> at) & most) as u32
    }

    fn add(&mut self, at: u32, most: u64) -> bool {
        let room = u64::from(self.part(at, most)) < most;
        if room {
            self.0 += 1 << at;
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_part_is_left_as_it_is_and_its_neighbours_too() {
        let mut counts = Counts::of(RAN_MOST - 1, SKIPPED_MOST - 1);

        assert!(counts.add_ran() && counts.add_skipped() && counts.add_queued());
        assert!(!counts.add_ran() && !counts.add_skipped());

        let parts = [counts.ran(), counts.queued(), counts.skipped()].map(u64::from);
        assert_eq!(parts, [RAN_MOST, 1, SKIPPED_MOST]);
    }
}
