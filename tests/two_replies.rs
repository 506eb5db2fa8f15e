//! Two listeners that answer one request.

use futures::executor::block_on;
use tidings::{Bus, Code, event, listener};

#[event(reply = u32)]
struct GetPrice;

#[listener(reply)]
fn list_price(_: &GetPrice) -> u32 {
    10
}

#[listener(reply)]
async fn sale_price(_: &GetPrice) -> u32 {
    7
}

/// Nobody answers it, and says so.
#[event(reply = u32, unanswered = "ignore")]
struct GetDiscount;

#[test]
fn two_answerers_are_a_build_error_that_names_both_places() {
    let error = Bus::builder().build().unwrap_err();

    let [problem] = error.problems() else {
        panic!("{error}");
    };
    assert_eq!(problem.code(), Code::TwoReplies);
    assert_eq!(
        problem.message(),
        "two listeners answer `get_price`: `two_replies::list_price` at tests/two_replies.rs:10:4 and `two_replies::sale_price` at tests/two_replies.rs:15:10"
    );
}

#[test]
fn a_bus_that_leaves_one_out_is_answered_by_the_other() {
    let list = Bus::builder().without(sale_price).build().unwrap();
    let sale = Bus::builder().only(sale_price).build().unwrap();

    assert_eq!(block_on(list.request(GetPrice)).unwrap(), 10);
    assert_eq!(block_on(sale.request(GetPrice)).unwrap(), 7);
}

#[test]
fn a_request_may_be_declared_as_one_that_nobody_answers() {
    let bus = Bus::builder().without(list_price).build().unwrap();
    let error = block_on(bus.request(GetDiscount)).unwrap_err();

    assert_eq!(error.kind(), tidings::RequestErrorKind::NoListener);
}
