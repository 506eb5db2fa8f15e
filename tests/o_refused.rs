//! O2, E5: what cannot be ordered or delivered keeps the bus from being built. Each test chooses its own listeners.

use std::rc::Rc;

use tidings::{AnyEvent, Bus, Code, FailureKind, ListenerInfo, Problem, event, listener};

#[event]
struct Placed;

#[event]
struct Paid;

#[listener(before = two)]
fn one(_: &Placed) {}

#[listener(before = three)]
fn two(_: &Placed) {}

#[listener(before = one)]
fn three(_: &Placed) {}

#[listener(before = stands_after)]
fn stands_before(_: &Placed) {}

#[listener(before = stands_before)]
fn stands_after(_: &Placed) {}

#[listener(early, after = at_last)]
fn too_early(_: &Placed) {}

#[listener(late)]
fn at_last(_: &Placed) {}

#[listener(after = of_placed)]
fn of_paid(_: &Paid) {}

#[listener]
fn of_placed(_: &Placed) {}

#[listener(after = helper)]
fn after_helper(_: &Placed) {}

fn helper(_: &Placed) {}

#[listener(after = "o_refused::of_plased")]
fn misspelt(_: &Placed) {}

#[event("local.drawn")]
struct Drawn(Rc<u8>);

#[listener("local.*")]
async fn draw_later(_: &AnyEvent<'_>) {}

#[listener("local.*")]
fn draw(e: &AnyEvent<'_>) {
    let brush = e.downcast_ref::<Drawn>().map(|drawn| *drawn.0);
    assert!(brush == Some(1) || e.topic() == "local.page");
}

#[event("local.page")]
struct Page<T>(T);

#[listener("local.page")]
async fn page_later(_: &AnyEvent<'_>) {}

#[track_caller]
fn only_problem(bus: Result<Bus, tidings::BuildError>) -> Problem {
    let error = bus.unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    error.problems()[0].clone()
}

#[test]
fn o2_a_circle_of_relations_is_a_build_error_that_names_the_path() {
    let problem = only_problem(Bus::builder().only((one, two, three)).build());

    assert_eq!(problem.code(), Code::OrderCycle);
    assert_eq!(
        problem.message(),
        "the order leads in a circle: `o_refused::one` before `o_refused::two` before `o_refused::three` before `o_refused::one`"
    );
    assert!(
        problem
            .location()
            .is_some_and(|place| place.file().ends_with("o_refused.rs"))
    );
}

#[test]
fn o2_a_circle_of_two_is_found_and_a_circle_that_is_left_out_in_part_is_none() {
    let problem = only_problem(
        Bus::builder()
            .only((stands_before, stands_after, of_placed))
            .build(),
    );
    assert_eq!(problem.code(), Code::OrderCycle);
    assert!(problem.message().ends_with("`o_refused::stands_before` before `o_refused::stands_after` before `o_refused::stands_before`"));

    let bus = Bus::builder()
        .only((stands_after, of_placed))
        .build()
        .unwrap();
    assert_eq!(bus.emit(Placed).report().ran(), 2);
}

#[test]
fn o2_a_relation_against_the_phases_is_a_build_error() {
    let problem = only_problem(Bus::builder().only((too_early, at_last)).build());

    assert_eq!(problem.code(), Code::OrderPhase);
    assert_eq!(
        problem.message(),
        "`o_refused::at_last` shall run before `o_refused::too_early`, but the first is late and the second early"
    );
}

#[test]
fn o2_a_relation_to_a_listener_of_another_event_is_a_build_error_that_names_both() {
    let problem = only_problem(Bus::builder().only((of_paid, of_placed)).build());

    assert_eq!(problem.code(), Code::OrderUnrelated);
    assert_eq!(
        problem.message(),
        "listener `o_refused::of_paid` is ordered against `o_refused::of_placed`, but no event reaches both: they hear `paid` and `placed`"
    );
}

#[test]
fn o2_a_relation_to_a_plain_function_is_a_build_error() {
    let problem = only_problem(Bus::builder().only(after_helper).build());

    assert_eq!(problem.code(), Code::NotAListener);
    assert_eq!(
        problem.message(),
        "listener `o_refused::after_helper` is ordered against `o_refused::helper`, which is not a listener"
    );
}

#[test]
fn o2_a_relation_to_an_unknown_id_is_a_build_error_with_the_nearest_ids() {
    let problem = only_problem(Bus::builder().only(misspelt).build());

    assert_eq!(problem.code(), Code::UnknownId);
    assert!(
        problem.message().starts_with(
            "listener `o_refused::misspelt` is ordered against the id `o_refused::of_plased`, which no listener has; did you mean `o_refused::of_placed`"
        ),
        "{problem}"
    );
}

#[test]
fn e5_an_async_pattern_listener_of_an_event_that_stays_on_its_thread_is_a_build_error() {
    let problem = only_problem(Bus::builder().only((draw_later, draw)).build());

    assert_eq!(problem.code(), Code::NotSend);
    assert_eq!(
        problem.message(),
        "async listener `o_refused::draw_later` hears `local.drawn` by a pattern, but `o_refused::Drawn` is not `Send + Sync`"
    );
}

#[test]
fn e5_an_inline_pattern_listener_hears_an_event_that_stays_on_its_thread() {
    let bus = Bus::builder().only(draw).build().unwrap();

    assert_eq!(bus.emit(Drawn(Rc::new(1))).report().ran(), 1);
}

#[test]
fn e5_a_generic_event_is_checked_at_its_first_emission() {
    let bus = Bus::builder()
        .only((page_later, draw))
        .on_failure(|_| ())
        .build()
        .unwrap();

    for _ in 0..2 {
        let report = bus.emit(Page(Rc::new(1))).report();
        assert_eq!(
            (report.ran(), report.failed()),
            (1, 1),
            "the inline listener runs"
        );
        assert_eq!(report.failures()[0].kind(), FailureKind::NotSend);
        assert_eq!(
            report.failures()[0].listener().map(ListenerInfo::function),
            Some("page_later")
        );
        assert!(
            report.failures()[0]
                .message()
                .starts_with("an async listener hears `local.page` by a pattern, but `")
        );
    }
}
