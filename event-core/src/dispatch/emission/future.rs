//! An emission that somebody awaits.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Emission, Open, Rest, spare};
use crate::delivery::room::Room;
use crate::delivery::{Completion, Given, Pending, Round};
use crate::dispatch::report::Report;
use crate::runtime::Runtime;

impl IntoFuture for Emission {
    type Output = Report;
    type IntoFuture = EmissionFuture;

    fn into_future(self) -> EmissionFuture {
        EmissionFuture(Stage::Ready(self))
    }
}

/// An emission that is awaited. Async listeners start with its first poll.
pub struct EmissionFuture(Stage);

enum Stage {
    Ready(Emission),
    /// In this task: there is no runtime.
    Here {
        report: Report,
        /// Before the first poll.
        first: Option<Box<Rest>>,
        pending: Vec<Pending>,
        rooms: Vec<Room>,
        returned: Vec<EmissionFuture>,
    },
    /// On the bus's runtime.
    There {
        completion: Arc<Completion>,
        rooms: Vec<Room>,
        /// Of returned events, whose reports are their own.
        returned: Vec<Room>,
        runtime: Arc<dyn Runtime>,
    },
    Over,
}

impl Stage {
    fn start(mut emission: Emission) -> Self {
        let Open {
            report,
            rest,
            rooms,
            returned,
        } = emission.take();
        let bus = rest
            .as_ref()
            .and_then(|rest| rest.batch.bus())
            .or_else(|| returned.first()?.bus());
        let Some(runtime) = bus.and_then(|bus| bus.shared_runtime()).cloned() else {
            let returned = if returned.is_empty() {
                Vec::new()
            } else {
                returned.into_iter().map(Emission::into_future).collect()
            };
            return Stage::Here {
                report,
                first: rest,
                pending: Vec::new(),
                rooms,
                returned,
            };
        };
        let completion = Arc::new(Completion::new(report));
        if let Some(mut rest) = rest {
            if !rest.batch.is_empty() {
                let now = runtime.now();
                while let Some(pending) = rest.batch.next() {
                    match pending.spawn(&*runtime, Some(&completion), now) {
                        Given::Awaited => {}
                        given => completion.count(given),
                    }
                }
            }
            spare::give(rest);
        }
        let returned = if returned.is_empty() {
            Vec::new()
        } else {
            let rooms = returned.into_iter().flat_map(Emission::start_rooms);
            rooms.collect()
        };
        Stage::There {
            completion,
            rooms,
            returned,
            runtime,
        }
    }
}

impl EmissionFuture {
    /// Whether all that is left runs elsewhere.
    pub(crate) fn may_be_left(&self) -> bool {
        match &self.0 {
            Stage::Ready(_) | Stage::Here { .. } => false,
            Stage::There {
                rooms, returned, ..
            } => rooms.is_empty() && returned.is_empty(),
            Stage::Over => true,
        }
    }
}

impl EmissionFuture {
    /// Drops it: what runs in this task ends unfinished, for that reason.
    pub(crate) fn let_go(mut self, why: &Arc<str>) {
        if let Stage::Here {
            pending, returned, ..
        } = &mut self.0
        {
            for delivery in pending.iter_mut() {
                delivery.will_go(why);
            }
            let returned = std::mem::take(returned);
            drop(self);
            for other in returned {
                other.let_go(why);
            }
        }
    }
}

impl Future for EmissionFuture {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let who = std::ptr::from_ref(&*self).addr();
        if let Stage::Ready(emission) = &mut self.0 {
            let emission = std::mem::take(emission);
            self.0 = Stage::start(emission);
        }
        let report = match &mut self.0 {
            Stage::Here {
                report,
                first,
                pending,
                rooms,
                returned,
            } => {
                if !rooms.is_empty() {
                    rooms.retain_mut(|room| room.poll(cx, report).is_pending());
                }
                let mut begun = std::mem::take(pending);
                let mut round = Round {
                    report,
                    pending,
                    returned: Vec::new(),
                };
                if let Some(mut rest) = first.take() {
                    rest.batch.first_polls(cx, &mut round);
                    spare::give(rest);
                } else {
                    begun.retain_mut(|delivery| match delivery.poll(cx) {
                        Poll::Pending => true,
                        Poll::Ready(end) => {
                            round.ended(delivery, end);
                            false
                        }
                    });
                    *round.pending = begun;
                }
                let mut sources = Vec::new();
                for (source, events) in round.returned {
                    let emission = source.emit(events, source.is_outside());
                    if emission.is_open() {
                        returned.push(emission.into_future());
                        sources.push(source);
                    }
                }
                if !returned.is_empty() {
                    returned.retain_mut(|emission| Pin::new(emission).poll(cx).is_pending());
                }
                drop(sources);
                if !pending.is_empty() || !rooms.is_empty() || !returned.is_empty() {
                    return Poll::Pending;
                }
                std::mem::take(report)
            }
            Stage::There {
                completion,
                rooms,
                returned,
                runtime,
            } => {
                if !rooms.is_empty() {
                    let mut more = Report::default();
                    rooms.retain_mut(|room| room.poll(cx, &mut more).is_pending());
                    completion.add(more);
                }
                if !returned.is_empty() {
                    let mut others = Report::default();
                    returned.retain_mut(|room| room.poll(cx, &mut others).is_pending());
                }
                match completion.poll(cx) {
                    Poll::Ready(report) if rooms.is_empty() && returned.is_empty() => report,
                    Poll::Ready(report) => {
                        completion.add(report);
                        return Poll::Pending;
                    }
                    Poll::Pending => {
                        runtime.help(who, cx);
                        return Poll::Pending;
                    }
                }
            }
            Stage::Ready(_) | Stage::Over => {
                panic!("an emission's future was polled after it gave its report")
            }
        };
        self.0 = Stage::Over;
        Poll::Ready(report)
    }
}

impl fmt::Debug for EmissionFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Stage::Ready(_) => "EmissionFuture(not started)",
            Stage::Here { .. } => "EmissionFuture(in this task)",
            Stage::There { .. } => "EmissionFuture(on the runtime)",
            Stage::Over => "EmissionFuture(over)",
        })
    }
}
