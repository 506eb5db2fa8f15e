//! A clock that goes on when there is nothing else to do.

use std::thread;

use super::park::Unpark;
use super::{Driver, Next};
use crate::event_loop::shared::Shared;

pub(in crate::event_loop) struct VirtualTime;

impl Driver for VirtualTime {
    fn run(&self, shared: &Shared, turn: &mut dyn FnMut() -> Next) {
        let mut waker = None;
        loop {
            match turn() {
                Next::Again => {}
                Next::Done => return,
                Next::Wait(Some(at)) => shared.set(at),
                // Only another thread can go on.
                Next::Wait(None) => {
                    if shared.listen(waker.get_or_insert_with(Unpark::waker)) {
                        thread::park();
                    }
                }
            }
        }
    }
}
