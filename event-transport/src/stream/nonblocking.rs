//! Files that do not block while a connection has them, although they did before.
//!
//! Whether one blocks is a matter of the open file, which several descriptors may share: those of a terminal, or of a socket in both directions. The last
//! connection has it block again, as others, such as the shell that the terminal belongs to, may have it open too.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{OFlags, fcntl_setfl};

/// The system does not say whether two descriptors share an open file; this is the same if they do.
type Key = (u64, u64, u32);

/// How many connections there are to each file that blocked, and how it was.
static SHARED: Mutex<Option<HashMap<Key, (usize, OFlags)>>> = Mutex::new(None);

fn shared() -> MutexGuard<'static, Option<HashMap<Key, (usize, OFlags)>>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a file is to be left.
#[derive(Clone, Copy)]
pub(super) enum Left {
    /// It did not block, or not because of a connection.
    Alone,
    /// Another file of the same name was there before.
    Own(OFlags),
    Shared(Key),
}

impl Left {
    /// Has the file not block. `flags` are those that it has.
    pub(super) fn begin(file: &File, flags: OFlags) -> io::Result<Self> {
        let about = file.metadata()?;
        let mode = (flags & OFlags::RWMODE).bits();
        let key = (about.dev(), about.ino(), mode);
        let mut shared = shared();
        let files = shared.get_or_insert_default();
        let known = files.get_mut(&key);
        if flags.contains(OFlags::NONBLOCK) {
            return Ok(known.map_or(Self::Alone, |(count, _)| {
                *count += 1;
                Self::Shared(key)
            }));
        }
        fcntl_setfl(file, flags | OFlags::NONBLOCK)?;
        if known.is_some() {
            return Ok(Self::Own(flags));
        }
        files.insert(key, (1, flags));
        Ok(Self::Shared(key))
    }

    pub(super) fn end(self, file: &File) {
        let flags = match self {
            Self::Alone => None,
            Self::Own(flags) => Some(flags),
            Self::Shared(key) => last(key),
        };
        if let Some(flags) = flags {
            // What cannot be set now could not have been set before either.
            let _ = fcntl_setfl(file, flags);
        }
    }
}

/// How it was, if this was the last connection.
fn last(key: Key) -> Option<OFlags> {
    let mut shared = shared();
    let files = shared.as_mut()?;
    let (count, flags) = files.get_mut(&key)?;
    *count -= 1;
    if *count > 0 {
        return None;
    }
    let flags = *flags;
    files.remove(&key);
    Some(flags)
}
