//! S5: `tune` changes how the deliveries of async listeners are carried, and refuses what it cannot change.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::{
    Bus, BusBuilder, Failure, FailureKind, Overlap, Policy, Report, Task, event, listener,
    listeners,
};

#[event]
struct Placed;

#[event]
struct Shipped;

/// One at a time; the others are skipped.
#[listener(limit = 2, overlap = "drop")]
async fn charge(_: &Placed) {
    pending::<()>().await;
}

#[listener(limit = 2)]
async fn track(_: &Shipped) {
    pending::<()>().await;
}

#[listener]
fn plain(_: &Placed) {}

fn no_listener(_: &Placed) {}

struct Mailer;

#[listeners]
impl Mailer {
    #[listener(limit = 2)]
    async fn confirm(&self, _: &Placed) {
        let Mailer = self;
        pending::<()>().await;
    }

    #[listener]
    fn count(&self, _: &Placed) {
        let Mailer = self;
    }

    #[listener(limit = 1)]
    async fn audit(_: &Placed) {
        pending::<()>().await;
    }

    fn no_listener(&self, _: &Placed) {
        let Mailer = self;
    }
}

/// Keeps every task, and runs none of them.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Task>>>);

impl tidings::Runtime for Kept {
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push(task);
    }
}

/// A bus whose async deliveries never end.
fn bus(change: impl FnOnce(BusBuilder) -> BusBuilder) -> Bus {
    let builder = Bus::builder()
        .runtime(Kept::default())
        .on_failure(|_: &Failure| {});
    change(builder).build().unwrap()
}

fn problems(change: impl FnOnce(BusBuilder) -> BusBuilder) -> String {
    change(Bus::builder()).build().unwrap_err().to_string()
}

/// Queued, skipped and overloaded.
fn counts(report: &Report) -> [usize; 3] {
    let overloaded = |failure: &&Failure| failure.kind() == FailureKind::Overloaded;
    [
        report.queued(),
        report.skipped(),
        report.failures().iter().filter(overloaded).count(),
    ]
}

fn placed(bus: &Bus, times: usize) -> Vec<[usize; 3]> {
    (0..times)
        .map(|_| counts(&bus.emit(Placed).report()))
        .collect()
}

#[test]
fn s5_without_tune_the_attribute_holds() {
    let bus = bus(|builder| builder.only(charge));

    assert_eq!(placed(&bus, 3), [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
}

#[test]
fn s5_several_changes_go_on_from_each_other_in_order() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = Arc::clone(&seen);
    let bus = bus(|builder| {
        builder
            .only(charge)
            .tune(charge, |policy| policy.overlap(Overlap::Parallel))
            .tune(charge, |policy| policy.limit(7))
            .tune(charge, move |policy| {
                see.lock().unwrap().push((
                    policy.max_in_flight(),
                    policy.on_overlap(),
                    policy.time_limit(),
                ));
                policy.limit(1)
            })
    });

    assert_eq!(*seen.lock().unwrap(), [(7, Overlap::Parallel, None)]);
    assert_eq!(placed(&bus, 3), [[1, 0, 0], [0, 0, 1], [0, 0, 1]]);
}

#[test]
fn s5_a_tuple_is_tuned_part_by_part() {
    let bus = bus(|builder| {
        builder
            .only((charge, track))
            .tune((charge, track), |policy| {
                let limit = policy.max_in_flight() + 1;
                policy.limit(limit).overlap(Overlap::Parallel)
            })
    });

    for reports in [
        placed(&bus, 4),
        (0..4)
            .map(|_| counts(&bus.emit(Shipped).report()))
            .collect(),
    ] {
        assert_eq!(reports, [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]]);
    }
}

#[test]
fn s5_a_policy_that_makes_no_sense_is_refused_with_one_problem() {
    type Change = fn(Policy) -> Policy;
    let refused: [(Change, &str, &str); 5] = [
        (|p| p.limit(0), "to a `limit` of zero", "write at least 1"),
        (
            |p| p.workers(0),
            "to a `workers` of zero",
            "write at least 1",
        ),
        (|p| p.batch(0), "to a `batch` of zero", "write at least 1"),
        (
            |p| p.timeout(Duration::ZERO),
            "to a `timeout` of zero, which ends every delivery",
            "write a longer time",
        ),
        (
            |p| p.backoff(Duration::from_secs(2), Duration::from_secs(1)),
            "to a `backoff` whose shortest time (2s) is longer than its longest (1s)",
            "exchange the two times",
        ),
    ];
    for (change, what, help) in refused {
        let text = problems(|builder| builder.tune((track, track), change));
        let (start, rest) = text.split_once("\n    at ").expect("the place");
        assert_eq!(
            start,
            format!(
                "the bus cannot be built: 1 problem\n  [invalid-policy] `s_tune::track` is tuned {what}"
            )
        );
        assert!(rest.ends_with(&format!("help: {help}")), "{rest}");
    }
}

#[cfg(feature = "runtime")]
mod queued {
    use super::*;

    #[event]
    struct Booked;

    #[listener(queue = 4)]
    fn book(_: &Booked) {}

    #[test]
    fn s5_a_queue_is_not_tuned_to_nothing_or_by_the_keys_of_others() {
        let text = problems(|builder| {
            let change =
                |policy: Policy| policy.queue(0).limit(3).overlap(Overlap::Drop).workers(2);
            builder.tune(book, change)
        });
        assert!(text.contains("3 problems"), "{text}");
        for what in [
            "a `queue` of zero",
            "a `limit`, which",
            "an `overlap`, which",
        ] {
            let line = format!("[invalid-policy] `s_tune::queued::book` is tuned to {what}");
            assert!(text.contains(&line), "{text}");
        }
        // What another change corrects is no mistake.
        let tuned = Bus::builder()
            .tune(book, |policy| policy.queue(0))
            .tune(book, |policy| policy.queue(1))
            .build();
        tuned.expect("it makes sense");
    }

    #[listener(every = "1s")]
    fn tick() {}

    #[listener(debounce = "1s")]
    fn last(_: &Booked) {}

    #[listener(throttle = "1s")]
    fn some(_: &Booked) {}

    #[test]
    fn s5_a_timed_listener_is_not_tuned_to_no_time_or_by_the_keys_of_others() {
        let text = problems(|builder| {
            let builder = builder.tune(tick, |policy| policy.every(Duration::ZERO));
            let builder = builder.tune(last, |policy| policy.debounce(Duration::ZERO).limit(3));
            builder.tune(some, |policy| {
                policy.throttle(Duration::ZERO).overlap(Overlap::Drop)
            })
        });
        assert!(text.contains("5 problems"), "{text}");
        for (listener, what) in [
            ("tick", "an `every` of zero"),
            ("last", "a `debounce` of zero"),
            ("last", "a `limit`, which says nothing of a timed listener"),
            ("some", "a `throttle` of zero"),
            (
                "some",
                "an `overlap`, which says nothing of a timed listener",
            ),
        ] {
            let line = format!("[invalid-policy] `s_tune::queued::{listener}` is tuned to {what}");
            assert_eq!(text.matches(&line).count(), 1, "{text}");
        }
    }
}

#[test]
fn s5_a_policy_of_a_method_that_makes_no_sense_is_refused_when_it_is_attached() {
    let bus = bus(|builder| builder.tune(Mailer::confirm, |policy| policy.limit(0)));
    let refused = bus.attach(Arc::new(Mailer)).unwrap_err().to_string();
    let start = "[invalid-policy] `s_tune::Mailer::confirm` is tuned to a `limit` of zero";
    assert!(refused.contains(start), "{refused}");
}

#[test]
fn s5_buses_are_tuned_apart() {
    let [one, two] = [1, 3].map(|limit| {
        bus(move |builder| {
            builder
                .only(track)
                .tune(track, move |policy| policy.limit(limit))
        })
    });

    let queued = |bus: &Bus| {
        (0..4)
            .map(|_| bus.emit(Shipped).report().queued())
            .sum::<usize>()
    };
    assert_eq!((queued(&one), queued(&two)), (1, 3));
}

#[test]
fn s5_the_attribute_of_an_attached_method_holds() {
    let bus = bus(|builder| builder.only(track));
    bus.attach(Arc::new(Mailer)).unwrap().forever();

    assert_eq!(placed(&bus, 3), [[1, 0, 0], [1, 0, 0], [0, 0, 1]]);
}

#[test]
fn s5_an_attached_method_is_tuned_by_its_path_for_each_instance() {
    let bus = bus(|builder| {
        builder
            .only(track)
            .tune(Mailer::confirm, |policy| policy.limit(1))
    });
    bus.attach(Arc::new(Mailer)).unwrap().forever();
    assert_eq!(placed(&bus, 2), [[1, 0, 0], [0, 0, 1]]);

    bus.attach(Arc::new(Mailer)).unwrap().forever();
    assert_eq!(placed(&bus, 2), [[1, 0, 1], [0, 0, 2]]);
}

#[test]
fn s5_an_associated_function_is_tuned_by_its_path() {
    let bus = bus(|builder| {
        builder
            .only(Mailer::audit)
            .tune(Mailer::audit, |policy| policy.limit(2))
    });

    assert_eq!(placed(&bus, 3), [[1, 0, 0], [1, 0, 0], [0, 0, 1]]);
}

#[test]
fn s5_a_tuned_timeout_is_what_the_failure_names() {
    let bus = Bus::builder()
        .only(track)
        .tune(track, |policy| policy.timeout(Duration::from_millis(5)))
        .on_failure(|_: &Failure| {})
        .build()
        .unwrap();

    let report = futures::executor::block_on(async { bus.emit(Shipped).await });

    let failure = &report.failures()[0];
    assert_eq!(failure.kind(), FailureKind::TimedOut);
    assert_eq!(failure.message(), "the listener did not end within 5ms");
}

#[test]
fn s5_what_runs_inside_emit_is_not_tunable() {
    let (file, line) = (file!(), LINE_OF_PLAIN);
    let text = problems(|builder| builder.tune((plain, charge), |policy| policy.limit(3)));

    assert_eq!(
        text,
        format!(
            "the bus cannot be built: 1 problem\n  \
             [not-tunable] `s_tune::plain` is tuned, but it runs inside `emit`: there is nothing to tune\n    \
             at {file}:{line}:4\n    \
             help: make it an `async fn`, give it a `queue`, or take it out of `tune`"
        )
    );
    // The same where the bus leaves it out: the call says something that holds for no bus.
    assert_eq!(
        problems(|builder| builder.without(plain).tune(plain, |policy| policy)),
        text
    );
}

#[test]
fn s5_a_method_that_runs_inside_emit_is_not_tunable() {
    let text = problems(|builder| builder.tune(Mailer::count, |policy| policy.limit(3)));

    let start = "the bus cannot be built: 1 problem\n  \
         [not-tunable] `s_tune::Mailer::count` is tuned, but it runs inside `emit`: there is nothing to tune\n    at ";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn s5_what_is_no_listener_cannot_be_tuned() {
    no_listener(&Placed);
    Mailer.no_listener(&Placed);
    let text = problems(|builder| {
        builder
            .tune(no_listener, |policy| policy.limit(3))
            .tune(Mailer::no_listener, |policy| policy.limit(3))
    });

    assert_eq!(
        text,
        "the bus cannot be built: 2 problems\n  \
         [not-a-listener] `s_tune::no_listener` is tuned, but it is not a listener\n    \
         help: put `#[listener]` on that function, or take it out of `tune`\n  \
         [not-a-listener] `s_tune::Mailer::no_listener` is tuned, but it is not a listener\n    \
         help: put `#[listener]` on that function, or take it out of `tune`"
    );
}

const LINE_OF_PLAIN: u32 = 30;
