//! What a link says where nobody listens to its events.

use std::fmt::Display;

use event_core::private::{Pattern, outlet};
use event_core::{Bus, Event, EventInfo};

use super::end::End;
use super::plan::Plan;
use crate::wire::error::shown;

/// Emits what is to be known also where nobody listens to it.
pub(super) fn warn<E: Event + Display>(bus: &Bus, event: E) {
    if !outlet::is_closing(bus) {
        let words = event.to_string();
        if !outlet::was_heard(&bus.emit(event)) {
            outlet::warn(bus, &words);
        }
    }
}

impl End {
    /// Warns of each pattern of which the peer exchanges nothing at all.
    pub(super) fn warn_of_patterns(&self, bus: &Bus, unwanted: &[String], unoffered: &[String]) {
        let Plan {
            name,
            named: (publish, subscribe),
            ..
        } = &*self.plan;
        let peer = shown(&self.peer());
        let idle = |pattern: &&Pattern, events: &[&EventInfo], missing: &[String]| {
            let mut topics = events.iter().map(|event| event.topic());
            topics.all(|topic| !pattern.matches(topic) || missing.iter().any(|it| it == topic))
        };
        for pattern in publish
            .iter()
            .filter(|it| idle(it, &self.plan.publish, unwanted))
        {
            let pattern = pattern.as_str();
            outlet::warn(
                bus,
                &format!(
                    "the link `{name}` publishes `{pattern}`, of which the peer `{peer}` subscribes to nothing: it is not sent"
                ),
            );
        }
        for pattern in subscribe
            .iter()
            .filter(|it| idle(it, &self.plan.subscribe, unoffered))
        {
            let pattern = pattern.as_str();
            outlet::warn(
                bus,
                &format!(
                    "the link `{name}` subscribes to `{pattern}`, of which the peer `{peer}` publishes nothing"
                ),
            );
        }
    }
}
