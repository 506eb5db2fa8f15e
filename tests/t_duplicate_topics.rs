//! T4: two events with one topic. A program of its own, since no bus of it can be built.

use tidings::{Bus, Code, FailureKind, emit, event};

#[event("orders.placed")]
struct Placed;

mod elsewhere {
    #[tidings::event("orders.placed")]
    pub(crate) struct OrderPlaced;

    #[tidings::event("orders.generic")]
    pub(crate) struct Generic<T>(pub(crate) T);
}

#[event("orders.generic")]
struct Plain;

#[event("orders.alone")]
struct Alone;

#[test]
fn t4_two_events_with_one_topic_are_a_build_error_that_names_both_types_and_places() {
    let error = Bus::builder().build().unwrap_err();

    let messages: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.message().to_owned())
        .collect();
    let file = file!();
    assert_eq!(
        messages,
        [
            format!(
                "two events have the topic `orders.generic`: `t_duplicate_topics::elsewhere::Generic` at {file}:13:23 \
                 and `t_duplicate_topics::Plain` at {file}:17:8"
            ),
            format!(
                "two events have the topic `orders.placed`: `t_duplicate_topics::Placed` at {file}:6:8 \
                 and `t_duplicate_topics::elsewhere::OrderPlaced` at {file}:10:23"
            ),
        ]
    );
    for problem in error.problems() {
        assert_eq!(problem.code(), Code::DuplicateTopic);
        assert_eq!(
            problem.help(),
            "name another topic in one of them: `#[event(\"..\")]`"
        );
    }
}

#[test]
fn t4_the_free_emit_and_an_empty_bus_do_not_hide_it() {
    let panic = std::panic::catch_unwind(Bus::empty).unwrap_err();
    let reports = [
        emit(Alone).report(),
        emit(Plain).report(),
        emit(Placed).report(),
        emit(elsewhere::OrderPlaced).report(),
        emit(elsewhere::Generic(0_u8)).report(),
    ];

    assert!(
        panic
            .downcast_ref::<String>()
            .unwrap()
            .contains("[duplicate-topic]")
    );
    for report in reports {
        let [failure] = report.failures() else {
            panic!("{report}")
        };
        assert_eq!(failure.kind(), FailureKind::NoBus);
        assert!(failure.message().contains("[duplicate-topic]"), "{failure}");
    }
}
