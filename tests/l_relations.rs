//! L5: relations that cannot hold, each a build error with its words. Every test chooses its own listeners.

use tidings::{AnyEvent, BuildError, Bus, Code, ListenerSet, event, listener};

#[event("orders.placed")]
struct Placed;

#[event("orders.shipped")]
struct Shipped;

fn no_listener(_: &Placed) {}

#[listener(after = no_listener)]
fn after_a_function(_: &Placed) {}

#[listener(id = "billing.charge")]
fn charge(_: &Placed) {}

#[listener(before = "biling.charge")]
fn before_an_unknown_id(_: &Placed) {}

#[listener(after = "zzz")]
fn after_a_strange_id(_: &Placed) {}

#[listener(before = bites_tail)]
fn head(_: &Placed) {}

#[listener(before = head)]
fn bites_tail(_: &Placed) {}

#[listener(after = alone)]
fn alone(_: &Placed) {}

#[listener(after = third)]
fn first(_: &Placed) {}

#[listener(after = first)]
fn second(_: &Placed) {}

#[listener(after = second)]
fn third(_: &Placed) {}

#[listener(after = third)]
fn behind_the_circle(_: &Placed) {}

#[listener("orders.*", before = typed)]
fn patterned(_: &AnyEvent<'_>) {}

#[listener(before = patterned)]
fn typed(_: &Shipped) {}

#[listener(early, after = charge)]
fn early_after_main(_: &Placed) {}

#[listener(late, before = charge)]
fn late_before_main(_: &Placed) {}

#[listener(after = charge)]
fn of_another_event(_: &Shipped) {}

#[listener("stock.*", before = charge)]
fn of_other_topics(_: &AnyEvent<'_>) {}

fn error<M>(listeners: impl ListenerSet<M>) -> BuildError {
    Bus::builder().only(listeners).build().unwrap_err()
}

/// Asserts one problem: its code, message, help and line.
#[track_caller]
fn assert_problem(error: &BuildError, code: Code, message: &str, help: &str, line: u32) {
    let [problem] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(
        (problem.code(), problem.message(), problem.help()),
        (code, message, help)
    );
    let location = problem.location().unwrap();
    assert_eq!((location.file(), location.line()), (file!(), line));
}

#[test]
fn l5_a_relation_to_a_function_that_is_no_listener_is_a_build_error() {
    no_listener(&Placed);

    assert_problem(
        &error(after_a_function),
        Code::NotAListener,
        "listener `l_relations::after_a_function` is ordered against `l_relations::no_listener`, which is not a listener",
        "put `#[listener]` on that function, or name another one",
        14,
    );
}

const ID_HELP: &str = "name the id of a linked listener; an id is `crate::module::function` unless its attribute says `id = \"..\"`";

#[test]
fn l5_a_relation_to_an_unknown_id_is_a_build_error_with_the_nearest_ids() {
    assert_problem(
        &error(before_an_unknown_id),
        Code::UnknownId,
        "listener `l_relations::before_an_unknown_id` is ordered against the id `biling.charge`, which no listener has; \
         did you mean `billing.charge`?",
        ID_HELP,
        20,
    );
    assert_problem(
        &error(after_a_strange_id),
        Code::UnknownId,
        "listener `l_relations::after_a_strange_id` is ordered against the id `zzz`, which no listener has",
        ID_HELP,
        23,
    );
}

const CYCLE_HELP: &str = "take out one of these relations";

#[test]
fn l5_a_circle_of_relations_is_a_build_error_that_prints_it() {
    assert_problem(
        &error((head, bites_tail)),
        Code::OrderCycle,
        "the order leads in a circle: `l_relations::head` before `l_relations::bites_tail` before `l_relations::head`",
        CYCLE_HELP,
        26,
    );
    assert_problem(
        &error((second, behind_the_circle, third, first)),
        Code::OrderCycle,
        "the order leads in a circle: `l_relations::first` before `l_relations::second` before `l_relations::third` \
         before `l_relations::first`",
        CYCLE_HELP,
        35,
    );
}

#[test]
fn l5_a_listener_after_itself_is_a_circle() {
    assert_problem(
        &error(alone),
        Code::OrderCycle,
        "the order leads in a circle: `l_relations::alone` before `l_relations::alone`",
        CYCLE_HELP,
        32,
    );
}

#[test]
fn l5_typed_and_pattern_listeners_are_in_one_circle() {
    assert_problem(
        &error((patterned, typed)),
        Code::OrderCycle,
        "the order leads in a circle: `l_relations::patterned` before `l_relations::typed` before `l_relations::patterned`",
        CYCLE_HELP,
        47,
    );
}

#[test]
fn l5_a_circle_is_broken_by_leaving_one_out() {
    assert!(Bus::builder().only((first, second)).build().is_ok());
    assert!(Bus::builder().only(patterned).build().is_ok());
}

#[test]
fn l5_a_relation_against_the_phases_is_a_build_error() {
    let early = error((early_after_main, charge));
    let late = error((late_before_main, charge));

    let problem = &early.problems()[0];
    assert_eq!(
        (early.problems().len(), problem.code()),
        (1, Code::OrderPhase)
    );
    assert_eq!(
        problem.message(),
        "`billing.charge` shall run before `l_relations::early_after_main`, but the first is main and the second early"
    );
    assert_eq!(problem.location().unwrap().line(), 53);
    assert_eq!(
        late.problems()[0].message(),
        "`l_relations::late_before_main` shall run before `billing.charge`, but the first is late and the second main"
    );
}

#[test]
fn l5_a_relation_to_a_listener_of_other_events_is_a_build_error() {
    let typed = error((of_another_event, charge));
    let pattern = error((of_other_topics, charge));

    for (error, listener, line) in [
        (typed, "of_another_event", 59),
        (pattern, "of_other_topics", 62),
    ] {
        let [problem] = error.problems() else {
            panic!("{error}")
        };
        assert_eq!(problem.code(), Code::OrderUnrelated);
        let start =
            format!("listener `l_relations::{listener}` is ordered against `billing.charge`");
        assert!(problem.message().starts_with(&start), "{error}");
        assert_eq!(problem.location().unwrap().line(), line);
    }
}

#[test]
fn s1_all_relations_that_cannot_hold_are_reported_at_once() {
    let error = error((
        after_a_function,
        before_an_unknown_id,
        head,
        bites_tail,
        early_after_main,
        of_another_event,
        charge,
    ));

    let mut codes: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.code().as_str())
        .collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "not-a-listener",
            "order-cycle",
            "order-phase",
            "order-unrelated",
            "unknown-id"
        ]
    );
}
