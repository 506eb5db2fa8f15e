//! What one pipe of a process tells it, in the place of a protocol of its own.

use std::any::Any;
use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::state::{Notice, State};
use crate::error::ConnectionError;
use crate::protocol::{Instance, Occurred, Told, Turned, Way};

pub(super) struct Pipe {
    process: Weak<State>,
    /// The child's number of it.
    fd: i32,
    /// What it was lost with.
    error: RefCell<Option<ConnectionError>>,
}

impl Pipe {
    pub(super) fn new(process: &Rc<State>, fd: i32) -> Rc<Self> {
        Rc::new(Self {
            process: Rc::downgrade(process),
            fd,
            error: RefCell::new(None),
        })
    }

    /// The pipe's descriptor is closed.
    pub(super) fn closed(&self) {
        if let Some(process) = self.process.upgrade() {
            let (fd, error) = (self.fd, self.error.take());
            process.notice(Notice::Closed { fd, error });
        }
    }
}

impl Instance for Pipe {
    /// What the process's protocol does not hear is read and not kept.
    fn hears(&self, kind: usize) -> bool {
        let process = self.process.upgrade();
        kind == Occurred::DATA && process.is_some_and(|process| process.hears_data())
    }

    fn is_busy(&self) -> bool {
        let process = self.process.upgrade();
        process.is_some_and(|process| process.life.instance().is_busy())
    }

    fn tell(&self, occurred: &Occurred<'_>, way: Way<'_>) -> Told {
        let Some(process) = self.process.upgrade() else {
            return Told::Nobody;
        };
        match occurred {
            Occurred::Data(e) => {
                // The next is read when this has been heard: so much is kept at most.
                if let Way::Stream(pipe) = way {
                    pipe.hold_reading(true);
                }
                let (fd, data) = (self.fd, e.data.clone());
                process.notice(Notice::Data { fd, data });
            }
            Occurred::Paused(_) | Occurred::Resumed(_) => return process.tell(occurred),
            Occurred::Lost(e) => drop(self.error.replace(e.error.clone())),
            _ => {}
        }
        Told::Turned(Turned::default())
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}
