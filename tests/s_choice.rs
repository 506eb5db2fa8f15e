//! S2: which listeners a bus has.

use tidings::{BuildError, Bus, Code, Context, event, listener, listeners};

#[event]
struct Asked;

#[listener]
fn plain(_: &Asked) {}

#[listener]
async fn later(_: &Asked) {}

#[listener]
fn with_everything(
    _: &Asked,
    a: Option<&u8>,
    _cx: Context<'_>,
    b: Option<&u16>,
) -> Result<(), String> {
    if a.is_none() && b.is_none() {
        Ok(())
    } else {
        Err("none of these is given".to_owned())
    }
}

#[listener(id = "choice.named")]
async fn named(_: &Asked, a: Option<&u8>) -> Result<(), String> {
    a.map_or(Ok(()), |_| Err("it is not given".to_owned()))
}

struct Tool;

#[listeners]
impl Tool {
    #[listener]
    fn assoc(_: &Asked) {}
}

mod deep {
    pub(crate) mod deeper {
        #[tidings::listener]
        pub(crate) fn listen(_: &crate::Asked) {}
    }
}

fn no_listener(_: &Asked) {}

/// How many listeners the bus has.
fn count(bus: Result<Bus, BuildError>) -> usize {
    let bus = bus.unwrap();
    let report = futures::executor::block_on(async { bus.emit(Asked).await });
    assert_eq!(report.failed(), 0, "{report}");
    report.ran()
}

macro_rules! many {
    ($($name:ident)*) => {
        mod many {
            $(
                #[tidings::listener]
                pub(crate) fn $name(_: &crate::Asked) {}
            )*
        }
    };
}

many! { l1 l2 l3 l4 l5 l6 l7 l8 l9 l10 l11 l12 l13 l14 l15 l16 }

/// The listeners above `many`.
const OTHERS: usize = 6;

/// Calls a method of the builder with a tuple of all sixteen.
macro_rules! sixteen {
    ($builder:expr, $method:ident) => {{
        use many::*;
        $builder.$method((
            l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15, l16,
        ))
    }};
}

#[test]
fn s2_a_bus_has_all_linked_listeners_unless_told_otherwise() {
    assert_eq!(count(Bus::builder().build()), OTHERS + 16);
}

#[test]
fn s2_an_empty_bus_has_none() {
    assert!(!Bus::empty().emit(Asked).report().heard());
}

#[test]
fn s2_one_function_is_chosen_or_left_out() {
    assert_eq!(count(Bus::builder().only(plain).build()), 1);
    assert_eq!(count(Bus::builder().without(plain).build()), OTHERS + 15);
    assert_eq!(count(Bus::builder().only(later).build()), 1);
    assert_eq!(count(Bus::builder().without(later).build()), OTHERS + 15);
}

#[test]
fn s2_functions_with_state_a_context_and_results_are_chosen() {
    assert_eq!(count(Bus::builder().only(with_everything).build()), 1);
    assert_eq!(
        count(
            Bus::builder()
                .only((with_everything, named, deep::deeper::listen))
                .build()
        ),
        3
    );
}

#[test]
fn s2_an_associated_function_is_chosen() {
    assert_eq!(count(Bus::builder().only(Tool::assoc).build()), 1);
    assert_eq!(
        count(Bus::builder().without(Tool::assoc).build()),
        OTHERS + 15
    );
}

#[test]
fn s2_a_tuple_has_up_to_sixteen_parts() {
    assert_eq!(count(sixteen!(Bus::builder(), only).build()), 16);
    assert_eq!(count(sixteen!(Bus::builder(), without).build()), OTHERS);
}

#[test]
fn s2_tuples_are_nested() {
    use many::{l1, l2, l3, l4};

    let set = ((l1, (l2, later)), plain, ((l3,), l4));

    assert_eq!(count(Bus::builder().only(set).build()), 6);
    assert_eq!(count(Bus::builder().without(set).build()), OTHERS + 10);
}

#[test]
fn s2_choices_add_up_and_leaving_out_wins() {
    let builder = || {
        Bus::builder()
            .only(plain)
            .only((later, plain))
            .only_ids(["choice.named"])
    };

    assert_eq!(count(builder().build()), 3);
    assert_eq!(count(builder().without(later).build()), 2);
    assert_eq!(
        count(
            builder()
                .without_ids(["choice.named", "s_choice::plain"])
                .build()
        ),
        1
    );
    assert_eq!(
        count(Bus::builder().without(plain).without(later).build()),
        OTHERS + 14
    );
}

#[test]
fn s2_listeners_are_chosen_by_id() {
    assert_eq!(
        count(
            Bus::builder()
                .only_ids(["choice.named", "s_choice::deep::deeper::listen"])
                .build()
        ),
        2
    );
    assert_eq!(
        count(
            Bus::builder()
                .without_ids(["s_choice::Tool::assoc"])
                .build()
        ),
        OTHERS + 15
    );
}

#[test]
fn s2_a_crate_is_chosen_by_its_name() {
    assert_eq!(
        count(Bus::builder().crates(["s-choice"]).build()),
        OTHERS + 16
    );
    assert_eq!(
        count(Bus::builder().crates(["s_choice"]).only(plain).build()),
        1
    );
    assert_eq!(count(Bus::builder().crates([]).build()), 0);
}

#[test]
fn s2_a_function_that_is_no_listener_is_a_build_error() {
    no_listener(&Asked);

    let only = Bus::builder()
        .only((plain, no_listener))
        .build()
        .unwrap_err();
    let without = Bus::builder().without(no_listener).build().unwrap_err();

    for error in [only, without] {
        let [problem] = error.problems() else {
            panic!("{error}")
        };
        assert_eq!(problem.code(), Code::NotAListener);
        assert_eq!(
            problem.message(),
            "`s_choice::no_listener` is chosen for the bus, but it is not a listener"
        );
        assert_eq!(
            problem.help(),
            "put `#[listener]` on that function, or leave it out of `only`/`without`"
        );
    }
}

#[test]
fn s2_an_unknown_id_is_a_build_error_with_the_nearest_ones() {
    let only = Bus::builder()
        .only_ids(["choise.named", "plain"])
        .build()
        .unwrap_err();
    let without = Bus::builder().without_ids(["%%%"]).build().unwrap_err();

    let messages: Vec<_> = only
        .problems()
        .iter()
        .map(tidings::Problem::message)
        .collect();
    assert!(
        messages[0].starts_with(
            "no linked listener has the id `choise.named`; did you mean `choice.named`"
        ),
        "{only}"
    );
    assert!(
        messages[1]
            .starts_with("no linked listener has the id `plain`; did you mean `s_choice::plain`"),
        "{only}"
    );
    assert_eq!(
        without.problems()[0].message(),
        "no linked listener has the id `%%%`"
    );
    for problem in only.problems().iter().chain(without.problems()) {
        assert_eq!(problem.code(), Code::UnknownId);
        assert!(
            problem
                .help()
                .contains("if its crate is not linked, name it in `tidings::link!(..)`"),
            "{problem}"
        );
    }
}

#[test]
fn s2_an_unknown_crate_is_a_build_error_with_the_line_to_add() {
    let error = Bus::builder()
        .crates(["s_choise", "acme-orders"])
        .build()
        .unwrap_err();

    let [near, far] = error.problems() else {
        panic!("{error}")
    };
    assert_eq!(
        (near.code(), far.code()),
        (Code::UnknownCrate, Code::UnknownCrate)
    );
    assert_eq!(
        near.message(),
        "no listener of the crate `s_choise` is linked; did you mean `s_choice`?"
    );
    assert_eq!(
        far.help(),
        "a dependency that no code names is not linked: write `tidings::link!(acme_orders);` in the binary"
    );
}
