//! How much may wait to be written.

use std::error::Error;
use std::fmt;

/// The marks of a connection's write buffer, in bytes: above the high one writing is paused, at or below the low one it is resumed.
///
/// ```
/// use tidings::transport::WriteLimits;
///
/// assert_eq!(WriteLimits::default().high_mark(), 64 * 1024);
/// assert_eq!(WriteLimits::high(1000).low_mark(), 250);
/// assert_eq!(WriteLimits::low(1000).high_mark(), 4000);
/// assert!(WriteLimits::between(10, 5).is_err());
/// # assert_eq!(WriteLimits::between(5, 10)?.low_mark(), 5);
/// # Ok::<(), tidings::transport::LimitsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteLimits {
    low: usize,
    high: usize,
}

impl WriteLimits {
    /// A high mark; the low one is a quarter of it. With 0, writing is paused while anything waits.
    pub const fn high(high: usize) -> Self {
        Self {
            low: high / 4,
            high,
        }
    }

    /// A low mark; the high one is four times as much.
    pub const fn low(low: usize) -> Self {
        Self {
            low,
            high: low.saturating_mul(4),
        }
    }

    /// Both marks.
    ///
    /// # Errors
    ///
    /// [`LimitsError`] if the low one is above the high one.
    pub const fn between(low: usize, high: usize) -> Result<Self, LimitsError> {
        if low > high {
            return Err(LimitsError { low, high });
        }
        Ok(Self { low, high })
    }

    /// Writing is paused above so many bytes.
    pub const fn high_mark(&self) -> usize {
        self.high
    }

    /// Writing is resumed at so many bytes.
    pub const fn low_mark(&self) -> usize {
        self.low
    }
}

impl Default for WriteLimits {
    /// 64 KiB, and 16 KiB.
    fn default() -> Self {
        Self::high(64 * 1024)
    }
}

/// The low mark is above the high one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LimitsError {
    low: usize,
    high: usize,
}

impl fmt::Display for LimitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high } = self;
        write!(f, "the low mark {low} is above the high mark {high}")
    }
}

crate::words::debug_as_display!(LimitsError);

impl Error for LimitsError {}
