//! The record as text: emissions and calls, under what led to them.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use event_core::ListenerInfo;
use event_core::private::instrument;

use super::record::{End, Entry, What};

/// Of a longer record so many entries are shown from its beginning,
const FIRST: usize = 150;
/// and so many from its end.
const LAST: usize = 50;
/// How many emissions under each other are shown as such.
const DEEPEST: usize = 16;

pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    entries: &[Entry],
    reordered: Option<u64>,
) -> fmt::Result {
    f.write_str("timeline")?;
    if let Some(seed) = reordered {
        write!(f, ", with `reorder({seed})`")?;
    }
    if entries.is_empty() {
        return f.write_str(": nothing was emitted");
    }
    f.write_str(":")?;
    let entries = in_order(entries);
    let mut lines = Lines::default();
    let hidden = if entries.len() > FIRST + LAST {
        FIRST..entries.len() - LAST
    } else {
        0..0
    };
    let mut unseen = Unseen(0);
    for (place, (at, entry)) in entries.iter().enumerate() {
        if hidden.contains(&place) {
            // What comes later is told by what was before.
            lines.one(&mut unseen, *at, entry)?;
            continue;
        }
        if place == hidden.end && unseen.0 > 0 {
            write!(f, "\n  … {}", more(unseen.0))?;
        }
        lines.one(f, *at, entry)?;
    }
    Ok(())
}

/// `9,900 more`
pub(super) fn more(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + " more"
}

/// Counts lines.
struct Unseen(usize);

impl fmt::Write for Unseen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.matches('\n').count();
        Ok(())
    }
}

/// A worker may be faster than who tells that its queue took the delivery in: that comes first all the same.
fn in_order(entries: &[Entry]) -> Vec<(Duration, &Entry)> {
    type Key = (u64, Option<TypeId>);
    let key = |emission: u64, listener: &ListenerInfo| -> Key {
        (emission, instrument::key_of(listener))
    };
    // Calls that came before their delivery was told to be accepted, oldest first.
    let mut early: HashMap<Key, Vec<usize>> = HashMap::new();
    let mut accepted: HashMap<Key, usize> = HashMap::new();
    let mut order: Vec<(usize, usize, Duration)> = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let mut stands = (place, 1, entry.at);
        match &entry.what {
            What::Called {
                listener, emission, ..
            } => {
                let key = key(*emission, listener);
                match accepted.get_mut(&key) {
                    Some(open) if *open > 0 => *open -= 1,
                    _ => early.entry(key).or_default().push(place),
                }
            }
            What::Accepted { listener, emission } => {
                let key = key(*emission, listener);
                let calls = early.get_mut(&key).filter(|calls| !calls.is_empty());
                if let Some(calls) = calls {
                    let call = calls.remove(0);
                    stands = (call, 0, entries[call].at.min(entry.at));
                } else {
                    *accepted.entry(key).or_default() += 1;
                }
            }
            What::Emitted { .. } | What::Failed { .. } => {}
        }
        order.push(stands);
    }
    let mut sorted: Vec<_> = order.into_iter().zip(entries).collect();
    sorted.sort_by_key(|((place, rank, _), _)| (*place, *rank));
    let timed = sorted.into_iter();
    timed.map(|((_, _, at), entry)| (at, entry)).collect()
}

#[derive(Default)]
struct Lines<'e> {
    /// How many emissions stand over an emission, by its number.
    depths: HashMap<u64, usize>,
    /// How often a listener was called for an emission.
    tries: HashMap<(u64, &'e str), usize>,
    /// The failures that stand with their call, each with its listener.
    told: HashSet<(&'e str, String)>,
}

impl<'e> Lines<'e> {
    fn one(&mut self, f: &mut dyn fmt::Write, at: Duration, entry: &'e Entry) -> fmt::Result {
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
                    .map_or(0, |(cause, _)| self.depth(*cause) + 1);
                self.depths.insert(*number, depth);
                line(f, at, depth, 0)?;
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
                line(f, at, self.depth(*emission), 1)?;
                write!(f, "{}: queued", listener.id())
            }
            What::Called {
                listener,
                emission,
                ended,
            } => {
                line(f, at, self.depth(*emission), 1)?;
                self.call(f, *emission, listener, at, ended.as_ref())
            }
            What::Failed {
                listener,
                kind,
                message,
                deliveries,
            } => {
                let who = listener.as_ref().map_or("", ListenerInfo::id);
                let words = format!("{message:?}");
                let failure = (who, words);
                if self.told.contains(&failure) {
                    return Ok(());
                }
                line(f, at, 0, 0)?;
                write!(f, "failure of {who}: {kind}, {}", failure.1)?;
                if *deliveries > 1 {
                    write!(f, " ({deliveries} deliveries)")?;
                }
                Ok(())
            }
        }
    }

    fn depth(&self, emission: u64) -> usize {
        self.depths.get(&emission).copied().unwrap_or(0)
    }

    fn call(
        &mut self,
        f: &mut dyn fmt::Write,
        emission: u64,
        listener: &'e ListenerInfo,
        at: Duration,
        ended: Option<&(Duration, End)>,
    ) -> fmt::Result {
        let id = listener.id();
        let tries = self.tries.entry((emission, id)).or_default();
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
                self.told.insert((id, words));
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

/// `under` is 1 for what belongs to an emission.
fn line(f: &mut dyn fmt::Write, at: Duration, depth: usize, under: usize) -> fmt::Result {
    let indent = depth.min(DEEPEST) * 4 + under * 2;
    write!(f, "\n  {:<12} {:indent$}", format!("{at:?}"), "")?;
    if depth > DEEPEST {
        write!(f, "({depth} deep) ")?;
    }
    Ok(())
}
