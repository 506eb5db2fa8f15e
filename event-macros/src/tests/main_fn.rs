use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_contains, errors, text};
use crate::main_fn::expand;

fn assert_error(args: TokenStream, item: TokenStream, expected: &[&str]) {
    let output = expand(args, item.clone());
    assert_eq!(errors(&output), expected);
    assert!(text(&output).contains(&text(&item)), "{output}");
}

#[test]
fn a_plain_main_is_run_by_another_call() {
    let output = expand(
        quote!(),
        quote!(
            fn main() {}
        ),
    );
    assert_contains(
        &output,
        quote!(.run_plain(
            ::tidings::__private::setup(::core::convert::identity::<::tidings::BusBuilder>),
            ::tidings::__private::plain_main(main)
        )),
    );
}

#[test]
fn a_call_in_place_of_the_function_is_told_what_to_write() {
    assert_error(
        quote!(bus = setup(), grace = "5s"),
        quote!(
            async fn main() {}
        ),
        &[
            "expected the path of a function that takes and gives a `BusBuilder`, like `bus = setup`",
        ],
    );
}

#[test]
fn a_body_that_does_not_parse_is_passed_on() {
    let item = quote!(
        async fn main() {
            let x = lp.
        }
    );
    let output = expand(quote!(), item.clone());
    assert!(text(&output).contains(&text(&item)), "{output}");
}

#[test]
fn an_item_with_errors_is_one_main_all_the_same() {
    assert_error(
        quote!(grace = "5s", 7),
        quote!(
            async fn main(x: u32) {}
        ),
        &[
            "expected a key, like `grace = \"5s\"`",
            "`main` takes no parameters: read arguments with `std::env::args()`, and give listeners their state with the key `bus`",
        ],
    );
    assert_error(
        quote!(),
        quote!(
            async fn start() {}
        ),
        &["`#[main]` goes on the program's `fn main`: `start` is called by nobody"],
    );
    assert_error(
        quote!(),
        quote!(
            const MAIN: u32 = 3;
        ),
        &["`#[main]` goes on the program's `fn main`"],
    );
}
