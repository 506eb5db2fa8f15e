//! The attributes of `tidings`: [`macro@event`], [`macro@listener`], [`macro@listeners`], [`macro@protocol`] and [`macro@main`].
//!
//! Use them through `tidings`, which re-exports them: the generated code names hidden items of that package.
//!
//! Each attribute goes the same way: `head` reads the attributes and the signature of the item, `model` checks the rules and keeps
//! the places of what the user wrote, `expand` writes the code and cannot fail. The item itself is passed on as it came, and
//! function bodies are never parsed, so that completion works while they are half typed.

mod args;
mod attrs;
mod duration;
mod errors;
mod event;
mod listener;
mod listeners;
mod main_fn;
mod protocol;
#[cfg(test)]
mod tests;
mod text;
mod topic;

use proc_macro::TokenStream;

/// Declares a struct or an enum as an event.
///
/// The type gets an implementation of `Event` and stays as it is. It may be generic over types and constants, and must not borrow.
///
/// ```text
/// #[event("orders.placed", version = 2, serde)]
/// struct Placed { id: u64, total: u32 }
/// ```
///
/// | key | type | default | effect |
/// |---|---|---|---|
/// | first argument | string | the name in snake case | the topic: 1 to 16 segments of letters, digits, `_` and `-`, joined by `.` |
/// | `version = 2` | `u32` from 1 | 1 | the version of the payload |
/// | `serde` | flag | off | the event can be emitted by name; needs `Serialize`, `DeserializeOwned` and the feature `json` |
/// | `stoppable` | flag | off | a listener may return `ControlFlow::Break` to end the run |
/// | `unheard = "warn"` | `"ignore"`, `"warn"`, `"error"` | `"ignore"` | what happens when nobody hears it |
/// | `reply = Quote` | type, `Send` | no answer | the event is a request: `Bus::request` gives the answer of the one `#[listener(reply)]` |
/// | `unanswered = "ignore"` | `"ignore"`, `"error"` | `"error"` | what it means that no listener of the program answers it |
/// | `crate = ::path` | absolute path | `::tidings` | where the library is found, for a renamed dependency |
///
/// A generic event must name its topic, and cannot be `serde`.
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(args.into(), item.into()).into()
}

/// Registers a function as a listener.
///
/// The first parameter is the event, `&Placed`, or `&AnyEvent` to hear any event that the topics and patterns match. Further
/// parameters are state (`&Db`, `Option<&Db>`) or the delivery (`Context`). The function stays as it is and can be called in tests.
///
/// ```text
/// #[listener("orders.*", after = crate::stock::reserve, when = |e| e.total > 100)]
/// fn charge(e: &Placed, db: &Db) -> Result<Paid, ChargeError> { .. }
/// ```
///
/// | key | type | default | effect |
/// |---|---|---|---|
/// | `"orders.placed"`, `"orders.*"` | string, several | the event's topic | the topics to hear; `*` is one segment, `**` at the end one or more |
/// | `Placed` | event type, several | the parameter's type | the events to hear |
/// | `early`, `late` | flag | neither | runs before or after the listeners that are neither |
/// | `before = path`, `before("id", path)` | listeners, repeatable | none | runs before these listeners |
/// | `after = path`, `after("id", path)` | listeners, repeatable | none | runs after these listeners |
/// | `when = \|e\| e.total > 100` | closure | always | the condition; a delivery it refuses is counted as skipped |
/// | `id = "billing.charge"` | string | `crate::module::function` | the name in reports, relations and the catalog |
/// | `reply` | flag | off | it answers a request: it returns the event's reply, or a `Result` of it; without `queue` |
/// | `emits(Paid, Refused)` | event types | from the return type | events the body emits itself, for the catalog |
/// | `limit = 8` | number, or constant `usize` | `1024` | how many deliveries of an `async fn` run at the same time; with `serial`, run and wait |
/// | `overlap = "serial"` | `"parallel"`, `"serial"`, `"latest"`, `"drop"` | `"parallel"` | what becomes of a delivery of an `async fn` while another one runs |
/// | `timeout = "5s"` | string like `"1h30m"`, or constant `Duration` | none | after how long a delivery of an `async fn` is ended and counted as failed |
/// | `queue = 1024` | number, or constant `usize` | none | deliveries wait in a queue with so many places; needs the feature `runtime`; not with `limit` or `overlap` |
/// | `workers = 4` | number, or constant `usize` | `1` | how many deliveries of the queue run at the same time |
/// | `key = \|e\| e.customer` | closure that gives a `Hash` value | none | deliveries with equal keys run one after another, in their order; needs `workers`, `batch`, `debounce` or `throttle` |
/// | `batch = 64` | number, or constant `usize` | none | the listener takes `&[&E]`: one call is given the deliveries that wait, at most so many, of one key |
/// | `overflow = "reject"` | `"block"`, `"reject"`, `"drop_oldest"`, `"drop_newest"` | `"block"` | what a full queue does with one more delivery: it waits for room where it may, fails, takes the place of the oldest, is dropped |
/// | `retry = 3` | number, or constant `u32` | none | how often a delivery of the queue that returned an error is tried again |
/// | `backoff = "100ms..5s"` | range of times in a string | `"100ms..5s"` | the time before a retry: random, from the first to what doubles with each retry up to the second; needs `retry` |
/// | `retry_if = \|err\| err.is::<Timeout>()` | closure | every error | which errors are worth a retry; needs `retry` |
/// | `every = "10s"` | string like `"1h30m"`, or constant `Duration` | none | called at the end of each period; the function takes no event; needs the feature `runtime` |
/// | `missed = "skip"` | `"skip"`, `"burst"`, `"delay"` | `"skip"` | what becomes of ticks that could not come in time: one comes at once and the others never, all come, one comes and the next a period later |
/// | `debounce = "200ms"` | as `every` | none | given the last event, once none came for this time; with `key`, the last of each key; needs the feature `runtime` |
/// | `throttle = "1s"` | as `every` | none | given the first event at once, then the latest of each period; with `key`, of each key; needs the feature `runtime` |
/// | `crate = ::path` | absolute path | `::tidings` | where the library is found, for a renamed dependency |
///
/// A method takes the attribute too, if its impl block has [`macro@listeners`].
#[proc_macro_attribute]
pub fn listener(args: TokenStream, item: TokenStream) -> TokenStream {
    listener::expand(args.into(), item.into()).into()
}

/// Registers the functions of an inherent impl block that carry `#[listener]`.
///
/// Functions without a receiver are registered like any function. Methods with `&self` are attached to an instance with
/// `bus.attach(Arc<Mailer>)`; all of a type's methods that listen stand in one block.
///
/// ```text
/// #[listeners]
/// impl Mailer {
///     #[listener(late)]
///     fn confirm(&self, e: &Placed) { .. }
/// }
/// ```
///
/// | key | type | default | effect |
/// |---|---|---|---|
/// | `crate = ::path` | absolute path | `::tidings` | where the library is found, for all listeners of the block |
#[proc_macro_attribute]
pub fn listeners(args: TokenStream, item: TokenStream) -> TokenStream {
    listeners::expand(args.into(), item.into()).into()
}

/// Makes a program of `fn main` or `async fn main`: an event loop, a bus with the linked listeners whose runtime it is, and a clean end.
///
/// The bus is [installed](https://docs.rs/tidings/latest/tidings/struct.Bus.html#method.install), so `emit` finds it. `main` may return whatever a `main`
/// may. An async one runs on the loop; a plain one is called with the loop entered, and may run it itself, by
/// `EventLoop::current()`. When it has ended, what the bus has accepted is delivered, then the tasks of the loop are asked to end, and what took longer
/// than the grace is told on standard error. If the bus cannot be built, everything that is wrong is printed and `main` is not called.
///
/// Ctrl-C and the request to end are events, `SignalReceived`, and the first one asks an async `main` to end: it is dropped at its `.await`, unless it
/// waits for `EventLoop::cancelled`. A run of the loop inside a plain `main` is stopped. The second one ends the process at once.
///
/// ```text
/// #[tidings::main(grace = "10s", bus = setup)]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> { .. }
///
/// fn setup(bus: BusBuilder) -> BusBuilder {
///     bus.state(Db::default())
/// }
/// ```
///
/// | key | type | default | effect |
/// |---|---|---|---|
/// | `grace = "10s"` | string like `"1h30m"` | `"5s"` | how long `main`, the deliveries and the tasks have each to end |
/// | `bus = setup` | path of a function | none | takes the `BusBuilder` and gives it back, with state and settings, or a `Result` of it |
/// | `crate = ::path` | absolute path | `::tidings` | where the library is found, for a renamed dependency |
///
/// It needs the feature `signal`. The exit code is that of `main`; 1 if it could not begin or end; 128 and the number of the signal that ended it.
#[proc_macro_attribute]
pub fn main(args: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(args.into(), item.into()).into()
}

/// Makes a type the protocol of connections: its methods with `#[listener]` hear what happens to the connection that their instance belongs to.
///
/// A listener takes `&mut self`, `&self` or no instance, and one of the events of a connection: `&ConnectionMade`, `&DataReceived`, `&EofReceived`, `&ConnectionLost`,
/// `&WritingPaused` or `&WritingResumed`, each of them in one listener at most. Further parameters are the connection (`&Transport`), state (`&Db`,
/// `Option<&Db>`) or the delivery (`Context`). It returns nothing, a `Result` of nothing, or for `EofReceived` an `AfterEof`.
///
/// ```text
/// #[protocol]
/// impl Echo {
///     #[listener]
///     fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), WriteError> { .. }
/// }
/// ```
///
/// | key | type | default | effect |
/// |---|---|---|---|
/// | `crate = ::path` | absolute path | `::tidings` | where the library is found, for all listeners of the block |
///
/// Here `#[listener]` has no keys: a connection brings its events one after the other, to one instance.
#[proc_macro_attribute]
pub fn protocol(args: TokenStream, item: TokenStream) -> TokenStream {
    protocol::expand(args.into(), item.into()).into()
}
