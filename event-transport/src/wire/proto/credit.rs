//! How many bytes of events may be under way, counted since the connection began.

use crate::wire::error::WireError;
use crate::wire::limits::COST;

/// More than any connection carries, and far from where numbers end.
const MOST: u64 = 1 << 62;

/// What a payload costs.
pub fn cost(payload: usize) -> u64 {
    payload as u64 + COST as u64
}

/// The sender's side: what it may still send.
#[derive(Debug)]
pub struct Budget {
    granted: u64,
    used: u64,
}

impl Budget {
    /// # Errors
    ///
    /// [`WireError::CreditOverflow`] if nobody means that much.
    pub fn new(granted: u64) -> Result<Self, WireError> {
        let mut budget = Self {
            granted: 0,
            used: 0,
        };
        budget.grant(granted)?;
        Ok(budget)
    }

    /// # Errors
    ///
    /// [`WireError::CreditOverflow`] if it is less than before, or nobody means that much.
    pub fn grant(&mut self, upto: u64) -> Result<(), WireError> {
        if upto < self.granted || upto > MOST {
            return Err(WireError::CreditOverflow {
                before: self.granted,
                now: upto,
            });
        }
        self.granted = upto;
        Ok(())
    }

    /// Whether there is enough for a payload; if so it is used up.
    pub fn spend(&mut self, payload: usize) -> bool {
        let used = self.used + cost(payload);
        let enough = used <= self.granted;
        if enough {
            self.used = used;
        }
        enough
    }
}

/// The receiver's side: what it lets the peer send.
#[derive(Debug)]
pub struct Grant {
    size: u64,
    announced: u64,
    taken: u64,
}

impl Grant {
    /// Of `size` bytes, of which `pending` are in use already. What is left is announced with the handshake.
    pub fn new(size: u64, pending: u64) -> Self {
        Self {
            size,
            announced: size.saturating_sub(pending),
            taken: 0,
        }
    }

    pub fn announced(&self) -> u64 {
        self.announced
    }

    /// An event came.
    ///
    /// # Errors
    ///
    /// [`WireError::CreditExceeded`] if the peer could not send it.
    pub fn take(&mut self, payload: usize) -> Result<(), WireError> {
        self.taken += cost(payload);
        if self.taken > self.announced {
            return Err(WireError::CreditExceeded {
                granted: self.announced,
                taken: self.taken,
            });
        }
        Ok(())
    }

    /// What is worth announcing when `pending` bytes are in use: not every few bytes.
    pub fn announce(&mut self, pending: u64) -> Option<u64> {
        let upto = self.taken + self.size.saturating_sub(pending);
        // The peer never waits for less: what it has left and a quarter is more than two frames when nothing is pending.
        if upto < self.announced + self.size / 4 {
            return None;
        }
        self.announced = upto;
        Some(upto)
    }
}
