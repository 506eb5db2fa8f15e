//! S1: the state of a bus, found by type, and what is said when it is missing or doubled.

use std::panic::Location;
use std::sync::{Arc, Mutex};

use tidings::{BuildError, Bus, BusBuilder, Code, catalog, event, listener};

#[event]
struct Asked;

struct Db(&'static str);

struct Cache(&'static str);

trait Clock: Send + Sync {
    fn now(&self) -> u64;
}

struct Fixed(u64);

impl Clock for Fixed {
    fn now(&self) -> u64 {
        self.0
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

const QUERY_LINE: u32 = line!() + 3;

#[listener]
fn query(_: &Asked, db: &Db, log: &Log) {
    log.0.lock().unwrap().push(format!("db {}", db.0));
}

#[listener]
fn keep(_: &Asked, db: &Arc<Db>, log: &Log) {
    log.0
        .lock()
        .unwrap()
        .push(format!("shared {}", Arc::clone(db).0));
}

#[listener]
fn time(_: &Asked, clock: &dyn Clock, log: &Log) {
    log.0.lock().unwrap().push(format!("time {}", clock.now()));
}

#[listener]
fn perhaps(_: &Asked, cache: Option<&Cache>, clock: Option<&dyn Clock>, log: &Log) {
    let (cache, now) = (cache.map(|cache| cache.0), clock.map(Clock::now));
    log.0
        .lock()
        .unwrap()
        .push(format!("cache {cache:?} clock {now:?}"));
}

#[listener]
fn greet(_: &Asked, name: &str, numbers: &[u8], log: &Log) {
    log.0.lock().unwrap().push(format!("{name} {numbers:?}"));
}

#[listener]
fn count(_: &Asked, by: &u64, log: &Log) {
    log.0.lock().unwrap().push(format!("count {by}"));
}

#[listener]
async fn later(_: &Asked, db: &Db, clock: &dyn Clock) {
    assert!(clock.now() > 0, "{}", db.0);
}

/// What the chosen listeners write on the bus that `builder` gives.
fn heard(builder: BusBuilder) -> Vec<String> {
    let log = Arc::new(Log::default());
    let bus = builder.state(Arc::clone(&log)).build().unwrap();
    bus.emit(Asked);
    std::mem::take(&mut *log.0.lock().unwrap())
}

#[test]
fn s1_state_is_found_as_t_whether_given_as_t_or_as_its_arc() {
    assert_eq!(
        heard(Bus::builder().only(query).state(Db("plain"))),
        ["db plain"]
    );
    assert_eq!(
        heard(Bus::builder().only(query).state(Arc::new(Db("arc")))),
        ["db arc"]
    );
}

#[test]
fn s1_a_listener_may_ask_for_the_arc_itself() {
    assert_eq!(
        heard(
            Bus::builder()
                .only((query, keep))
                .state(Arc::new(Db("arc")))
        ),
        ["db arc", "shared arc"]
    );
}

#[test]
fn s1_a_trait_object_is_given_as_its_arc() {
    let clock: Arc<dyn Clock> = Arc::new(Fixed(5));

    assert_eq!(heard(Bus::builder().only(time).state(clock)), ["time 5"]);
}

#[test]
fn s1_a_value_without_a_size_is_given_as_its_arc() {
    let builder = Bus::builder()
        .only(greet)
        .state::<Arc<str>>(Arc::from("Ada"));

    assert_eq!(
        heard(builder.state::<Arc<[u8]>>(Arc::from([1, 2]))),
        ["Ada [1, 2]"]
    );
}

#[test]
fn s1_optional_state_is_there_or_not() {
    let clock: Arc<dyn Clock> = Arc::new(Fixed(5));

    assert_eq!(
        heard(Bus::builder().only(perhaps)),
        ["cache None clock None"]
    );
    assert_eq!(
        heard(
            Bus::builder()
                .only(perhaps)
                .state(Cache("warm"))
                .state(clock)
        ),
        ["cache Some(\"warm\") clock Some(5)"]
    );
    assert_eq!(
        heard(Bus::builder().only(perhaps).state(Arc::new(Cache("arc")))),
        ["cache Some(\"arc\") clock None"]
    );
}

#[test]
fn s1_each_bus_has_its_own_state() {
    let one = Bus::builder().only(count).state(1_u64);
    let two = Bus::builder().only(count).state(2_u64);

    assert_eq!(heard(two), ["count 2"]);
    assert_eq!(heard(one), ["count 1"]);
}

fn place_of(function: &str) -> &'static Location<'static> {
    catalog()
        .listeners()
        .iter()
        .find(|listener| listener.function() == function)
        .unwrap()
        .location()
}

fn messages(error: &BuildError) -> Vec<&str> {
    error
        .problems()
        .iter()
        .map(tidings::Problem::message)
        .collect()
}

#[test]
fn s1_a_missing_state_names_the_listener_and_its_place() {
    let builder = Bus::builder().only(query).state(Log::default());
    let (error, line) = (builder.build().unwrap_err(), line!());

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::MissingState);
    let start = format!(
        "listener `s_state::query` needs state `s_state::Db` (parameter `db`), which the bus built at {}:{line}:",
        file!()
    );
    assert!(problem.message().starts_with(&start), "{error}");
    assert!(
        problem
            .message()
            .ends_with(" was not given; given: s_state::Log"),
        "{error}"
    );
    assert_eq!(
        problem.help(),
        "give it: `Bus::builder().state(..)`, or make it optional: `db: Option<&..>`"
    );
    assert_eq!(problem.location(), Some(place_of("query")));
    assert_eq!(
        (place_of("query").file(), place_of("query").line()),
        (file!(), QUERY_LINE)
    );
}

#[test]
fn s1_state_of_another_type_does_not_answer() {
    let error = Bus::builder()
        .only(count)
        .state(Log::default())
        .state(7_u32)
        .build()
        .unwrap_err();
    let fixed = Bus::builder()
        .only(time)
        .state(Log::default())
        .state(Arc::new(Fixed(5)))
        .build()
        .unwrap_err();
    let boxed = Bus::builder()
        .only(query)
        .state(Log::default())
        .state(Box::new(Db("box")))
        .build()
        .unwrap_err();

    assert!(
        messages(&error)[0].contains("needs state `u64` (parameter `by`)"),
        "{error}"
    );
    assert!(
        messages(&error)[0].ends_with("given: s_state::Log, u32"),
        "{error}"
    );
    assert!(
        messages(&fixed)[0].contains("needs state `dyn s_state::Clock` (parameter `clock`)"),
        "{fixed}"
    );
    assert!(
        messages(&boxed)[0].contains("needs state `s_state::Db`"),
        "{boxed}"
    );
    assert_eq!(
        (
            error.problems().len(),
            fixed.problems().len(),
            boxed.problems().len()
        ),
        (1, 1, 1)
    );
}

#[test]
fn s1_nothing_given_is_said() {
    let error = Bus::builder().only(count).build().unwrap_err();

    assert_eq!(error.problems().len(), 2);
    assert!(
        messages(&error)
            .iter()
            .all(|message| message.ends_with("was not given; given: none")),
        "{error}"
    );
}

/// The problem of a builder that was given two values at these lines.
#[track_caller]
fn assert_doubled(builder: BusBuilder, name: &str, first: (&str, u32), second: (&str, u32)) {
    let error = builder.build().unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(problem.code(), Code::DuplicateState);
    let message = problem.message();
    let place = |(ty, line): (&str, u32)| format!("as `{ty}` at {}:{line}:", file!());
    assert!(
        message.starts_with(&format!("state `{name}` is given twice: ")),
        "{message}"
    );
    let (one, two) = (message.find(&place(first)), message.find(&place(second)));
    assert!(one.is_some() && two.is_some() && one < two, "{message}");
    assert_eq!(problem.location().unwrap().line(), second.1);
    assert_eq!(
        problem.help(),
        "give one of them, or wrap the second value in a type of its own"
    );
}

const DB: &str = "s_state::Db";
const ARC: &str = "alloc::sync::Arc<s_state::Db>";

#[test]
fn s1_two_values_of_one_type_are_an_error_that_names_both_call_sites() {
    let builder = Bus::builder().only(query).state(Log::default());
    let (builder, first) = (builder.state(Db("one")), line!());
    let (builder, second) = (builder.state(Db("two")), line!());

    assert_doubled(builder, DB, (DB, first), (DB, second));
}

#[test]
fn s1_a_value_beside_its_arc_is_an_error_in_either_order() {
    let builder = Bus::builder().only(query).state(Log::default());
    let (builder, first) = (builder.state(Db("one")), line!());
    let (builder, second) = (builder.state(Arc::new(Db("two"))), line!());
    assert_doubled(builder, ARC, (DB, first), (ARC, second));

    let builder = Bus::builder().only(query).state(Log::default());
    let (builder, first) = (builder.state(Arc::new(Db("one"))), line!());
    let (builder, second) = (builder.state(Db("two")), line!());
    assert_doubled(builder, DB, (ARC, first), (DB, second));
}

#[test]
fn s1_two_trait_objects_of_one_trait_are_an_error() {
    let clock = || -> Arc<dyn Clock> { Arc::new(Fixed(5)) };
    let name = "alloc::sync::Arc<dyn s_state::Clock>";
    let builder = Bus::builder().only(time).state(Log::default());
    let (builder, first) = (builder.state(clock()), line!());
    let (builder, second) = (builder.state(clock()), line!());

    assert_doubled(builder, name, (name, first), (name, second));
}

#[test]
fn s1_all_problems_are_reported_at_once_and_printed_as_a_list() {
    let builder = Bus::builder()
        .without(keep)
        .only_ids(["s_state::qery"])
        .state(1_u64)
        .state(2_u64);
    let error = builder
        .only((query, time, count, later))
        .build()
        .unwrap_err();

    let mut found: Vec<_> = error
        .problems()
        .iter()
        .map(|p| (p.code().as_str(), p.message().split('`').nth(1).unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("duplicate-state", "u64"),
            ("missing-state", "s_state::count"),
            ("missing-state", "s_state::later"),
            ("missing-state", "s_state::later"),
            ("missing-state", "s_state::query"),
            ("missing-state", "s_state::query"),
            ("missing-state", "s_state::time"),
            ("missing-state", "s_state::time"),
            ("unknown-id", "s_state::qery"),
        ]
    );
    let text = error.to_string();
    assert!(
        text.starts_with("the bus cannot be built: 9 problems\n  [duplicate-state] state `u64`"),
        "{text}"
    );
    assert_eq!(text.matches("\n    help: ").count(), 9, "{text}");
    assert_eq!(text, format!("{error:?}"), "`unwrap` prints the same");
    let place = format!("\n    at {}\n", place_of("time"));
    assert!(text.contains(&place), "{text}");
}
