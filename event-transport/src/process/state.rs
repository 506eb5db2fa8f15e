//! The state of one process. No borrow is held while code of a user's runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use event_runtime::event_loop::{Signal, Sleep};

use super::child::{Child, KILL};
use super::pipe::Pipe;
use super::status::{ExitStatus, SignalError};
use super::transport::ProcessTransport;
use crate::connection::{Connection, Side};
use crate::error::ConnectionError;
use crate::events::{PipeClosed, PipeDataReceived, ProcessExited};
use crate::life::{End, Life, Stage};
use crate::protocol::{Connected, Instance, Occurred, Told, Way};
use crate::stream::{Conn, Direction, Transport, WriteLimits, pipe_link};

/// What the protocol is to hear, each in an item of the loop of its own.
pub(super) enum Notice {
    Data {
        fd: i32,
        data: Bytes,
    },
    Closed {
        fd: i32,
        error: Option<ConnectionError>,
    },
    Exited(ExitStatus),
}

/// How far the end of a child is that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    Terminated,
    Killed,
}

pub(super) struct Choices {
    /// How long a child that is closed may take to end.
    pub(super) grace: Duration,
    /// How long a pipe may be open after the child has ended.
    pub(super) linger: Option<Duration>,
    pub(super) limits: WriteLimits,
}

pub(crate) struct State {
    pub(super) life: Life,
    child: RefCell<Child>,
    pub(super) pid: u32,
    pipes: OnceCell<[Option<Transport>; 3]>,
    /// How many pipes are not told to be closed.
    open: Cell<usize>,
    notices: RefCell<VecDeque<Notice>>,
    /// The end of the child stands among the notices, or was told.
    is_exit_seen: Cell<bool>,
    is_exit_told: Cell<bool>,
    ending: Cell<Ending>,
    timer: RefCell<Option<Sleep>>,
    choices: Choices,
}

impl State {
    /// A process whose task is not started, nor those of its pipes.
    pub(super) fn new(
        life: Life,
        child: Child,
        pipes: [Option<File>; 3],
        choices: Choices,
    ) -> std::io::Result<Rc<Self>> {
        let limits = choices.limits;
        let state = Rc::new(Self {
            life,
            pid: child.pid(),
            child: RefCell::new(child),
            pipes: OnceCell::new(),
            open: Cell::new(0),
            notices: RefCell::default(),
            is_exit_seen: Cell::new(false),
            is_exit_told: Cell::new(false),
            ending: Cell::new(Ending::No),
            timer: RefCell::new(None),
            choices,
        });
        let mut made = [None, None, None];
        for ((made, pipe), fd) in made.iter_mut().zip(pipes).zip(0..) {
            if let Some(pipe) = pipe {
                *made = Some(state.pipe_of(pipe, fd, limits)?);
                state.open.set(state.open.get() + 1);
            }
        }
        drop(state.pipes.set(made));
        Ok(state)
    }

    fn pipe_of(
        self: &Rc<Self>,
        file: File,
        fd: i32,
        limits: WriteLimits,
    ) -> std::io::Result<Transport> {
        let direction = if fd == 0 {
            Direction::Out
        } else {
            Direction::In
        };
        let mut link = pipe_link(file, direction)?;
        link.info.pid = Some(self.pid);
        let facts = Connection::new(None, Side::Client, link.info.clone());
        let pipe = Pipe::new(self, fd);
        let life = self.life.of_a_part(facts, Rc::clone(&pipe) as _);
        let conn = Conn::new(life, link, limits);
        conn.when_lost(move || pipe.closed());
        Ok(Transport::of(&conn))
    }

    pub(super) fn pipes(&self) -> impl Iterator<Item = &Transport> {
        self.pipes.get().into_iter().flatten().flatten()
    }

    /// The pipe of this number, which the child has for it.
    pub(super) fn pipe(&self, fd: i32) -> Option<&Transport> {
        let place = usize::try_from(fd).ok()?;
        self.pipes.get()?.get(place)?.as_ref()
    }

    pub(super) fn hears_data(&self) -> bool {
        self.life.instance().hears(Occurred::PIPE_DATA)
    }

    pub(super) fn notice(&self, notice: Notice) {
        self.notices.borrow_mut().push_back(notice);
        self.life.wake();
    }

    pub(super) fn tell(self: &Rc<Self>, occurred: &Occurred<'_>) -> Told {
        let transport = ProcessTransport::of(self);
        self.life.tell(Way::Process(&transport), occurred)
    }

    pub(super) fn set_instance(self: &Rc<Self>, instance: Rc<dyn Instance>) {
        let before = self.life.exchange(instance);
        if let Some(stdin) = self.pipe(0) {
            stdin.forget_told();
        }
        self.life.let_go("a protocol that was exchanged", before);
        self.catch_up();
    }

    /// Tells of what came due while the instance was in use.
    pub(super) fn catch_up(self: &Rc<Self>) {
        if let Some(stdin) = self.pipe(0) {
            stdin.catch_up();
        }
        let transport = ProcessTransport::of(self);
        self.life.catch_up(Way::Process(&transport));
    }

    /// After a failure that the protocol cannot go on with, the process ends.
    fn heard(self: &Rc<Self>, told: Told) {
        if let Told::Failed(message) = told {
            self.life.abort(Some(ConnectionError::listener(message)));
        }
        self.catch_up();
    }

    pub(super) fn made(self: &Rc<Self>) {
        let transport = ProcessTransport::of(self);
        let told = self.life.made(Way::Process(&transport));
        self.heard(told);
        self.life.changed.notify_waiters();
    }

    /// Tells of the next thing. `false` if there is nothing.
    pub(super) fn tell_next(self: &Rc<Self>) -> bool {
        let next = self.notices.borrow_mut().pop_front();
        let Some(notice) = next else {
            return false;
        };
        match notice {
            Notice::Data { .. } if self.life.is_closing() => {}
            Notice::Data { fd, data } => {
                let told = self.tell(&Occurred::PipeData(&PipeDataReceived { fd, data }));
                self.heard(told);
                if let Some(pipe) = self.pipe(fd) {
                    pipe.hold_reading(false);
                }
            }
            Notice::Closed { fd, error } => {
                self.open.set(self.open.get() - 1);
                let told = self.tell(&Occurred::PipeClosed(&PipeClosed { fd, error }));
                self.heard(told);
            }
            Notice::Exited(status) => {
                self.is_exit_told.set(true);
                let exited = ProcessExited {
                    connection: self.life.facts.clone(),
                    status,
                };
                let told = self.tell(&Occurred::Exited(&exited));
                self.heard(told);
                if self.life.facts.is_labelled() {
                    self.life.emit(exited);
                }
            }
        }
        true
    }

    /// Whether nothing more can happen.
    pub(super) fn is_over(&self) -> bool {
        self.is_exit_told.get() && self.open.get() == 0 && self.notices.borrow().is_empty()
    }

    /// Looks whether the child has ended.
    pub(super) fn look(&self, cx: &mut Context<'_>) {
        if self.is_exit_seen.get() {
            return;
        }
        let ended = self.child.borrow_mut().poll(cx);
        if let Poll::Ready(status) = ended {
            self.is_exit_seen.set(true);
            self.notices.borrow_mut().push_back(Notice::Exited(status));
            drop(self.timer.take());
            self.life.changed.notify_waiters();
        }
    }

    /// Does what an end that was asked for needs next.
    pub(super) fn end(&self, cx: &mut Context<'_>) {
        let end = self.life.end.borrow().clone();
        match end {
            None if self.is_exit_seen.get() => {
                if let Some(linger) = self.choices.linger {
                    if self.is_time(cx, linger) {
                        self.pipes().for_each(Transport::abort);
                    }
                }
            }
            // Nobody is left to write to, whoever else may hold the pipe.
            Some(_) if self.is_exit_seen.get() => self.pipes().for_each(Transport::abort),
            Some(End::Closed) => self.close(cx),
            Some(End::Aborted(_)) if self.ending.replace(Ending::Killed) != Ending::Killed => {
                self.pipes().for_each(Transport::abort);
                // It may have ended meanwhile.
                let _ended = self.kill();
            }
            None | Some(End::Aborted(_)) => {}
        }
    }

    fn close(&self, cx: &mut Context<'_>) {
        if self.ending.get() == Ending::No {
            self.pipes().for_each(Transport::close);
            self.ending.set(Ending::Terminated);
            if !self.choices.grace.is_zero() {
                let _ended = self.signal(Signal::Terminate);
            }
        }
        if self.ending.get() == Ending::Terminated && self.is_time(cx, self.choices.grace) {
            self.ending.set(Ending::Killed);
            let _ended = self.kill();
        }
    }

    /// Whether this time has passed since it was asked for first.
    fn is_time(&self, cx: &mut Context<'_>, time: Duration) -> bool {
        if time.is_zero() {
            return true;
        }
        let lp = &self.life.lp;
        // A time that the clock does not have never comes.
        let Some(at) = lp.time().checked_add(time) else {
            return false;
        };
        let mut timer = self.timer.borrow_mut();
        let timer = timer.get_or_insert_with(|| lp.sleep_until(at));
        Pin::new(timer).poll(cx).is_ready()
    }

    pub(super) fn kill(&self) -> Result<(), SignalError> {
        self.signal(Signal::from_number(KILL))
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), SignalError> {
        let sent = self.child.borrow_mut().signal(signal);
        if sent.is_err() {
            // The end may have been seen just now.
            self.life.wake();
        }
        sent
    }

    /// How it ended, if that has been seen.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.child.borrow().status()
    }

    pub(super) fn lose(self: &Rc<Self>, error: Option<ConnectionError>) {
        drop(self.timer.take());
        self.life.stage.set(Stage::Lost);
        let transport = ProcessTransport::of(self);
        self.life.lose(Way::Process(&transport), error);
        self.life.changed.notify_waiters();
    }

    /// The task is dropped: nothing looks after the child any more.
    pub(super) fn dropped(self: &Rc<Self>) {
        if self.life.is_lost() {
            return;
        }
        self.child.borrow_mut().end();
        self.lose(Some(ConnectionError::dropped()));
    }
}
