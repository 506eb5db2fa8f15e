//! What a descriptor is ready for at this moment.
//!
//! What the reactor says is older, and it never takes back that the other side is closed. A FIFO may have another one by then.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Which of these, or that its other side is closed; nothing if it would block.
pub(crate) fn level(fd: impl AsFd, events: PollFlags) -> io::Result<PollFlags> {
    let fd = fd.as_fd();
    let mut asked = [PollFd::from_borrowed_fd(fd, events)];
    poll(&mut asked, Some(&AT_ONCE))?;
    Ok(asked[0].revents())
}
