//! What the listeners of a protocol ask of a bus, found once for all connections of a server or client.

use std::any::Any;
use std::panic::Location;
use std::rc::Rc;

use event_core::Bus;
use event_core::private::protocol;

use super::Protocol;
use crate::error::TransportError;

pub(crate) struct Binding {
    /// Only if a listener asks for something of it.
    pub(crate) bus: Option<Bus>,
    /// By the numbers of the parameters.
    pub(crate) values: Vec<Option<Box<dyn Any>>>,
}

impl Binding {
    /// Binds the parameters to the state of `bus`, or of the current one.
    pub(crate) fn of<P: Protocol>(
        bus: Option<&Bus>,
        place: &'static Location<'static>,
    ) -> Result<Rc<Self>, TransportError> {
        let mut bound = Self {
            bus: None,
            values: Vec::new(),
        };
        let needs = const { &P::__TABLE };
        let needs = needs.entries().flat_map(|entry| {
            let of_bus = |need: &'static super::asks::Need| Some((need, need.of_bus?));
            let needs = entry.needs.iter().filter_map(of_bus);
            needs.map(|(need, of_bus)| (&entry.registration, need, of_bus))
        });
        let which = match bus {
            Some(_) => "this bus",
            None => {
                "the default bus (another is named by `.on(&bus)`, or made the default by `install`)"
            }
        };
        let mut problems = Vec::new();
        for (registration, need, of_bus) in needs {
            let bus = match (&bound.bus, bus) {
                (Some(bus), _) | (None, Some(bus)) => bus.clone(),
                (None, None) => protocol::bus("a protocol's parameter", place)
                    .map_err(TransportError::no_bus)?,
            };
            let state = protocol::state(&bus);
            if (of_bus.is_given)(state) {
                if bound.values.len() <= need.number {
                    bound.values.resize_with(need.number + 1, || None);
                }
                bound.values[need.number] = (of_bus.bind)(state);
            } else if let Some(asked) = (of_bus.state)(need.name) {
                problems.push(protocol::missing(registration, &asked, &bus, which));
            }
            bound.bus = Some(bus);
        }
        protocol::check(problems).map_err(TransportError::state)?;
        Ok(Rc::new(bound))
    }
}
