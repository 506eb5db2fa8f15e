//! The record as text: emissions and calls, under what led to them.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use event_core::ListenerInfo;

use super::record::{End, Entry, What};

pub(super) fn write(f: &mut fmt::Formatter<'_>, entries: &[Entry]) -> fmt::Result {
    if entries.is_empty() {
        return f.write_str("timeline: nothing was emitted");
    }
    f.write_str("timeline:")?;
    let mut lines = Lines::default();
    entries.iter().try_for_each(|entry| lines.one(f, entry))
}

#[derive(Default)]
struct Lines {
    /// How far to the right an emission stands, by its number.
    depths: HashMap<u64, usize>,
    /// How often a listener was called for an emission.
    tries: HashMap<(u64, String), usize>,
    /// The failures that stand with their call.
    told: Vec<String>,
}

impl Lines {
    fn one(&mut self, f: &mut fmt::Formatter<'_>, entry: &Entry) -> fmt::Result {
        let at = entry.at;
        match &entry.what {
            What::Emitted {
                number,
                topic,
                place,
                cause,
                ..
            } => {
                let depth = cause
                    .as_ref()
                    .map_or(0, |(cause, _)| self.depth(*cause) + 2);
                self.depths.insert(*number, depth);
                line(f, at, depth)?;
                write!(f, "`{topic}` emitted")?;
                if let Some((_, Some(listener))) = cause {
                    write!(f, " by {}", listener.id())?;
                }
                match place {
                    Some(place) => write!(f, " at {place}"),
                    None => f.write_str(" (returned)"),
                }
            }
            What::Accepted { listener, emission } => {
                line(f, at, self.depth(*emission) + 1)?;
                write!(f, "{}: queued", listener.id())
            }
            What::Called {
                listener,
                emission,
                ended,
            } => {
                line(f, at, self.depth(*emission) + 1)?;
                self.call(f, *emission, listener, at, ended.as_ref())
            }
            What::Failed {
                listener,
                kind,
                message,
            } => {
                let words = format!("{message:?}");
                if self.told.contains(&words) {
                    return Ok(());
                }
                line(f, at, 0)?;
                let who = listener.as_ref().map_or("", ListenerInfo::id);
                write!(f, "failure of {who}: {kind}, {words}")
            }
        }
    }

    fn depth(&self, emission: u64) -> usize {
        self.depths.get(&emission).copied().unwrap_or(0)
    }

    fn call(
        &mut self,
        f: &mut fmt::Formatter<'_>,
        emission: u64,
        listener: &ListenerInfo,
        at: Duration,
        ended: Option<&(Duration, End)>,
    ) -> fmt::Result {
        let id = listener.id();
        let tries = self.tries.entry((emission, id.to_owned())).or_default();
        *tries += 1;
        let number = *tries;
        write!(f, "{id}: ")?;
        match ended.map(|(_, end)| end) {
            None => f.write_str("has not ended")?,
            Some(End::Ran) => f.write_str("ran")?,
            Some(End::Skipped) => f.write_str("skipped")?,
            Some(End::Panicked) => f.write_str("panicked")?,
            Some(End::Dropped) => f.write_str("its future was dropped")?,
            Some(End::Failed(message)) => {
                let words = format!("{message:?}");
                write!(f, "failed, {words}")?;
                self.told.push(words);
            }
        }
        if number > 1 {
            write!(f, " (call {number})")?;
        }
        match ended {
            Some((end, _)) if *end > at => {
                write!(f, " after {:?}", end.saturating_sub(at))
            }
            _ => Ok(()),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, at: Duration, depth: usize) -> fmt::Result {
    write!(
        f,
        "\n  {:<12} {:depth$}",
        format!("{at:?}"),
        "",
        depth = depth * 2
    )
}
