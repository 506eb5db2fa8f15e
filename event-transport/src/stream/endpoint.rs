//! What all connections of one server or client have in common.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use event_core::Bus;
use event_core::private::scope::current_bus;
use event_core::private::{panic_message, protocol};
use event_runtime::event_loop::{EventLoop, LoopItem};

use super::conn::Conn;
use super::info::Info;
use super::io::Link;
use super::limits::WriteLimits;
use crate::connection::{Connection, Side};
use crate::error::TransportError;
use crate::life::Life;
use crate::protocol::{Binding, Held, Protocol};

/// What is said of an endpoint before it is there.
pub(crate) struct Plan {
    pub(crate) lp: EventLoop,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) bus: Option<Bus>,
    /// The bus that was current when it was planned.
    current: u64,
    pub(crate) limits: WriteLimits,
    pub(super) place: &'static Location<'static>,
}

impl Plan {
    #[track_caller]
    pub(crate) fn new(lp: &EventLoop) -> Self {
        Self {
            lp: lp.clone(),
            label: None,
            bus: None,
            current: current_bus(),
            limits: WriteLimits::default(),
            place: Location::caller(),
        }
    }

    pub(crate) fn bind<P: Protocol>(self, side: Side) -> Result<Endpoint, TransportError> {
        let bus = (self.bus.clone()).or_else(|| protocol::by_number(self.current));
        Ok(Endpoint {
            binding: Binding::of::<P>(bus.as_ref(), self.place)?,
            side,
            plan: self,
        })
    }
}

pub(crate) struct Endpoint {
    pub(crate) plan: Plan,
    side: Side,
    binding: Rc<Binding>,
}

/// What makes the protocol of a connection.
pub(super) type Factory<P> = RefCell<Box<dyn FnMut() -> P>>;

impl Endpoint {
    /// Makes a connection, whose task is not started.
    pub(super) fn connection<P: Protocol>(
        &self,
        link: Link,
        factory: impl FnOnce() -> P,
    ) -> Result<(Rc<Conn>, Rc<Held<P>>), TransportError> {
        let (life, held) = self.life(link.info.clone(), factory)?;
        Ok((Conn::new(life, link, self.plan.limits), held))
    }

    /// Makes the protocol of a connection, and what they go through together.
    pub(crate) fn life<P: Protocol>(
        &self,
        info: Info,
        factory: impl FnOnce() -> P,
    ) -> Result<(Life, Rc<Held<P>>), TransportError> {
        let Plan {
            lp, label, place, ..
        } = &self.plan;
        let value = match catch_unwind(AssertUnwindSafe(factory)) {
            Ok(value) => value,
            Err(panic) => {
                let message = panic_message(panic);
                lp.__tell(
                    LoopItem::Listener,
                    "the protocol's factory",
                    place,
                    Ok(message.clone().into()),
                );
                return Err(TransportError::factory(&message));
            }
        };
        let held = Held::new(value, Rc::clone(&self.binding));
        let facts = Connection::new(label.clone(), self.side, info);
        let bus = match &self.plan.bus {
            Some(bus) => protocol::number(bus),
            None => self.plan.current,
        };
        let instance = Rc::clone(&held) as _;
        Ok((Life::new(lp, facts, (bus, place), instance), held))
    }
}
