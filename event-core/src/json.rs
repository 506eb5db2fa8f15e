//! Events by name, and everything as JSON.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::build::error::{nearest, suggestion};
use crate::bus::Bus;
use crate::catalog::Catalog;
use crate::dispatch::emission::Emission;
use crate::event::{Event, EventOps};
use crate::listener::policy::Policy;
use crate::registry::Registry;

/// How an event declared `serde` is read and written.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Codec {
    emit: fn(&Bus, &str) -> Result<Emission, Payload>,
    write: fn(&dyn Any) -> Option<Result<String, serde_json::Error>>,
}

/// Why a payload was not read: where in the JSON, and the reader's words.
#[derive(Debug)]
struct Payload {
    path: String,
    source: serde_json::Error,
}

impl Codec {
    pub const fn of<E: Event + Serialize + DeserializeOwned>() -> Self {
        Self {
            emit: |bus, json| read::<E>(json).map(|event| bus.emit(event)),
            write: |payload| payload.downcast_ref::<E>().map(serde_json::to_string),
        }
    }
}

fn read<E: DeserializeOwned>(json: &str) -> Result<E, Payload> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let event = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = place(error.path());
        Payload {
            path,
            source: error.into_inner(),
        }
    })?;
    reader.end().map_err(|source| Payload {
        path: ".".to_owned(),
        source,
    })?;
    Ok(event)
}

/// The path without a last step that the reader did not get to name, as in a payload that ends too early.
fn place(path: &Path) -> String {
    let text = path.to_string();
    let unnamed = matches!(path.iter().next_back(), Some(Segment::Unknown));
    let known = text
        .strip_suffix('?')
        .filter(|_| unnamed)
        .unwrap_or(&text)
        .trim_end_matches('.');
    if known.is_empty() {
        ".".to_owned()
    } else {
        known.to_owned()
    }
}

/// The codec of an event; generated for `#[event(serde)]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __json_codec {
    ($event:ty) => {
        $crate::private::Codec::of::<$event>()
    };
}

impl Bus {
    /// Emits an event by its topic, with the payload as JSON. The event must be declared with `#[event(serde)]`.
    ///
    /// ```standalone_crate
    /// use serde::{Deserialize, Serialize};
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event(serde)]
    /// #[derive(Serialize, Deserialize)]
    /// struct NewOrder {
    ///     order_id: u64,
    /// }
    ///
    /// #[listener]
    /// fn book(order: &NewOrder) {
    ///     assert_eq!(order.order_id, 123);
    /// }
    ///
    /// let bus = Bus::builder().build()?;
    /// assert_eq!(bus.emit_json("new_order", r#"{"order_id": 123}"#)?.report().ran(), 1);
    ///
    /// let error = bus.emit_json("new_order", r#"{"order_id": "x"}"#).unwrap_err();
    /// assert_eq!(error.path(), Some("order_id"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EmitJsonError`] if no event has the topic, it is not declared `serde`, or the payload does not fit. Nothing is delivered then.
    pub fn emit_json(&self, topic: &str, json: &str) -> Result<Emission, EmitJsonError> {
        let registry = Registry::get();
        let fail = |kind, path, source| EmitJsonError {
            topic: topic.to_owned(),
            kind,
            path,
            source,
        };
        // They are sorted by topic.
        let events = &registry.events;
        let found = events.binary_search_by(|event| event.info.topic().cmp(topic));
        let Some(event) = found.ok().and_then(|at| events.get(at)) else {
            let known = registry.events.iter().map(|event| event.info.topic());
            let known = suggestion(&nearest(topic, known));
            return Err(fail(
                EmitJsonErrorKind::UnknownTopic { suggestion: known },
                None,
                None,
            ));
        };
        let Some(codec) = event.ops.and_then(|ops| ops().json) else {
            return Err(fail(EmitJsonErrorKind::NotSerde, None, None));
        };
        (codec.emit)(self, json).map_err(|payload| {
            fail(
                EmitJsonErrorKind::Payload,
                Some(payload.path),
                Some(payload.source),
            )
        })
    }
}

/// Why an event was not emitted by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmitJsonErrorKind {
    /// No event of the program has this topic.
    #[non_exhaustive]
    UnknownTopic {
        /// The nearest topics as a half sentence, or nothing.
        suggestion: String,
    },
    /// The event is not declared with `#[event(serde)]`.
    NotSerde,
    /// The payload is no JSON, or does not fit the event.
    Payload,
}

/// An event that was not emitted by its name; nothing was delivered.
#[derive(Debug)]
pub struct EmitJsonError {
    topic: String,
    kind: EmitJsonErrorKind,
    path: Option<String>,
    source: Option<serde_json::Error>,
}

impl EmitJsonError {
    /// What is wrong.
    pub fn kind(&self) -> &EmitJsonErrorKind {
        &self.kind
    }

    /// Where in the payload, as in `items[2].price`; `.` for the whole.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// What is wrong with the payload, with its line and column.
    pub fn json_error(&self) -> Option<&serde_json::Error> {
        self.source.as_ref()
    }
}

impl fmt::Display for EmitJsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            EmitJsonErrorKind::UnknownTopic { suggestion } => {
                write!(f, "no event has the topic `{}`{suggestion}", self.topic)
            }
            EmitJsonErrorKind::NotSerde => write!(
                f,
                "the event `{}` is not declared `#[event(serde)]`, so it has no JSON form",
                self.topic
            ),
            EmitJsonErrorKind::Payload => {
                write!(f, "the payload does not fit the event `{}`", self.topic)?;
                if let Some(path) = self.path.as_deref().filter(|path| *path != ".") {
                    write!(f, " at `{path}`")?;
                }
                self.source
                    .iter()
                    .try_for_each(|source| write!(f, ": {source}"))
            }
        }
    }
}

// The words of the payload's error are in these, so it is not a source.
impl Error for EmitJsonError {}

/// An event that was not written as JSON.
#[derive(Debug)]
pub struct ToJsonError {
    topic: &'static str,
    source: Option<serde_json::Error>,
}

impl fmt::Display for ToJsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            None => write!(
                f,
                "the event `{}` is not declared `#[event(serde)]`, so it has no JSON form",
                self.topic
            ),
            Some(source) => write!(
                f,
                "the event `{}` was not written as JSON: {source}",
                self.topic
            ),
        }
    }
}

impl ToJsonError {
    /// What could not be written, unless the event has no JSON form at all.
    pub fn json_error(&self) -> Option<&serde_json::Error> {
        self.source.as_ref()
    }
}

// The words of the payload's error are in these, so it is not a source.
impl Error for ToJsonError {}

pub(crate) fn to_json(ops: &EventOps, payload: &dyn Any) -> Result<String, ToJsonError> {
    let topic = (ops.info)().topic();
    let written = ops.json.and_then(|codec| (codec.write)(payload));
    match written {
        Some(Ok(json)) => Ok(json),
        Some(Err(source)) => Err(ToJsonError {
            topic,
            source: Some(source),
        }),
        None => Err(ToJsonError {
            topic,
            source: None,
        }),
    }
}

/// Whole ones, rounded up, so that a time that is there is not shown as none.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The catalog in the shape of `format_version` 1.
pub(crate) fn catalog(catalog: &Catalog) -> String {
    let place = |location: &std::panic::Location<'_>| serde_json::json!({ "file": location.file(), "line": location.line(), "column": location.column() });
    let events: Vec<_> = catalog
        .events()
        .iter()
        .map(|event| {
            serde_json::json!({
                "topic": event.topic(),
                "type": event.type_name(),
                "version": event.version(),
                "fields": event.fields().iter().map(|field| serde_json::json!({ "name": field.name(), "type": field.ty() })).collect::<Vec<_>>(),
                "docs": event.docs(),
                "stoppable": event.is_stoppable(),
                "reply": event.reply(),
                "generic": event.is_generic(),
                "place": place(event.location()),
            })
        })
        .collect();
    let listeners: Vec<_> = catalog
        .listeners()
        .iter()
        .map(|listener| {
            serde_json::json!({
                "id": listener.id(),
                "function": listener.function(),
                "module": listener.module(),
                "hears": listener.hears(),
                "phase": listener.phase().to_string(),
                "before": listener.runs_before(),
                "after": listener.runs_after(),
                "mode": listener.mode().to_string(),
                "policy": listener.policy().map(policy),
                "replies": listener.replies(),
                "condition": listener.condition(),
                "state": listener.needs().iter().map(|need| serde_json::json!({
                    "parameter": need.parameter(), "type": need.type_name(), "optional": need.is_optional(),
                })).collect::<Vec<_>>(),
                "emits": listener.emits().iter().map(|event| event.topic()).collect::<Vec<_>>(),
                "docs": listener.docs(),
                "place": place(listener.location()),
            })
        })
        .collect();
    serde_json::json!({ "format_version": Catalog::FORMAT_VERSION, "events": events, "listeners": listeners }).to_string()
}

/// How deliveries are carried: the keys of a timed listener, of a queue, or those of an async listener.
fn policy(policy: Policy) -> serde_json::Value {
    let timeout = policy.time_limit().map(milliseconds);
    if let Some(period) = policy.period() {
        return serde_json::json!({
            "every_ms": milliseconds(period),
            "missed": policy.on_missed().to_string(),
            "timeout_ms": timeout,
        });
    }
    let gate = (policy.debounce_time().map(|time| ("debounce_ms", time)))
        .or_else(|| Some(("throttle_ms", policy.throttle_period()?)));
    if let Some((key, time)) = gate {
        return serde_json::json!({ key: milliseconds(time), "timeout_ms": timeout });
    }
    let Some(queue) = policy.queue_capacity() else {
        return serde_json::json!({
            "limit": policy.max_in_flight(),
            "overlap": policy.on_overlap().to_string(),
            "timeout_ms": timeout,
        });
    };
    let (min, max) = policy.retry_backoff();
    serde_json::json!({
        "queue": queue,
        "workers": policy.max_workers(),
        "batch": policy.max_batch(),
        "overflow": policy.on_overflow().to_string(),
        "retry": policy.max_retries(),
        "backoff_ms": [milliseconds(min), milliseconds(max)],
        "timeout_ms": timeout,
    })
}
