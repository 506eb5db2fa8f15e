//! The handlers of a loop, on its own thread.

use std::rc::Rc;

use super::Signal;
use crate::event_loop::EventLoop;
use crate::event_loop::core::Core;
use crate::event_loop::outcome::Ended;
use crate::queue::quiet::drop_quietly;

pub(super) type Handler = Box<dyn FnMut(&EventLoop) -> Ended>;

/// One for each signal, taken out while it runs.
#[derive(Default)]
pub(in crate::event_loop) struct Handlers {
    places: Vec<Place>,
    count: u64,
}

struct Place {
    signal: Signal,
    number: u64,
    handler: Option<Handler>,
}

impl Core {
    pub(super) fn set_handler(&self, signal: Signal, handler: Handler) {
        let mut handlers = self.handlers.borrow_mut();
        handlers.count += 1;
        let place = Place {
            signal,
            number: handlers.count,
            handler: Some(handler),
        };
        let mut places = handlers.places.iter_mut();
        let before = if let Some(other) = places.find(|other| other.signal == signal) {
            Some(std::mem::replace(other, place))
        } else {
            handlers.places.push(place);
            None
        };
        drop(handlers);
        drop_quietly(before.map(|place| place.handler));
    }

    pub(super) fn drop_handler(&self, signal: Signal) {
        let mut handlers = self.handlers.borrow_mut();
        let place = handlers.places.iter().position(|at| at.signal == signal);
        let place = place.map(|index| handlers.places.remove(index));
        drop(handlers);
        drop_quietly(place.map(|place| place.handler));
    }

    pub(super) fn handle_signal(self: &Rc<Self>, lp: &EventLoop, signal: Signal) -> Ended {
        let mut handlers = self.handlers.borrow_mut();
        let place = handlers.places.iter_mut().find(|at| at.signal == signal);
        let taken = place.and_then(|place| Some((place.number, place.handler.take()?)));
        drop(handlers);
        // It was taken out since.
        let Some((number, handler)) = taken else {
            return Ok(());
        };
        let mut back = Back {
            core: self,
            number,
            handler: Some(handler),
        };
        back.handler.as_mut().map_or(Ok(()), |handler| handler(lp))
    }
}

/// Puts a handler back, also after a panic, unless another one has its place.
struct Back<'c> {
    core: &'c Core,
    number: u64,
    handler: Option<Handler>,
}

impl Drop for Back<'_> {
    fn drop(&mut self) {
        let mut handlers = self.core.handlers.borrow_mut();
        let mut places = handlers.places.iter_mut();
        if let Some(place) = places.find(|place| place.number == self.number) {
            place.handler = self.handler.take();
        }
        drop(handlers);
        drop_quietly(self.handler.take());
    }
}
