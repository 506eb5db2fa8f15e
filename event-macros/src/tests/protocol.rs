use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_contains, assert_errors, text};
use crate::protocol::expand;

#[track_caller]
fn refused(args: TokenStream, block: TokenStream, stripped: TokenStream, expected: &[&str]) {
    let output = expand(args, block);
    assert_errors(&output, &stripped, expected);
    assert!(
        !text(&output).contains("__private"),
        "a protocol with errors is made: {output}"
    );
}

#[test]
fn a_protocol_is_a_table_of_its_listeners() {
    let output = expand(
        quote!(crate = crate::x),
        quote!(
            impl net::Echo {
                #[listener]
                fn data(&mut self, e: &DataReceived, t: &Transport, db: &Db) {}
                fn other(self) {}
                #[listener]
                fn eof(&self, _: &EofReceived, db: &Db) {}
                #[listener]
                fn lost(_: &ConnectionLost) {}
            }
        ),
    );
    assert_contains(
        &output,
        quote!(impl crate::x::transport::Protocol for net::Echo),
    );
    assert_contains(&output, quote!(ask::<&Db, _>().need(1usize, "db")));
    // Numbers go on from listener to listener.
    assert_contains(&output, quote!(ask::<&Db, _>().need(2usize, "db")));
    assert_contains(&output, quote!("Echo::data"));
    assert!(!text(&output).contains("other,"), "{output}");
    // Without a receiver it is not given the instance.
    assert_contains(&output, quote!(<net::Echo>::lost(__h.event(__o))));
}

#[test]
fn a_protocol_may_hear_nothing() {
    let output = expand(quote!(), quote!(impl Silent {}));
    assert_contains(
        &output,
        quote!(impl ::tidings::transport::Protocol for Silent),
    );
    assert!(!text(&output).contains("compile_error"), "{output}");
}

#[test]
fn every_mistake_is_reported() {
    refused(
        quote!(label = "x", crate = tidings),
        quote! {
            impl<T> Echo<T> {
                #[listener(late)]
                fn data(e: DataReceived) {}
                #[listener]
                async fn eof(self, e: &mut EofReceived) {}
                #[listener]
                fn made(&'static mut self) {}
                #[listener]
                #[listener]
                fn lost(&mut self, e: &ConnectionLost, t: impl Fn()) -> impl Sized {}
            }
        },
        quote! {
            impl<T> Echo<T> {
                fn data(e: DataReceived) {}
                async fn eof(self, e: &mut EofReceived) {}
                fn made(&'static mut self) {}
                fn lost(&mut self, e: &ConnectionLost, t: impl Fn()) -> impl Sized {}
            }
        },
        &[
            "`#[protocol]` takes only `crate = ::path`: a server or a client has the other choices",
            "`tidings` is not absolute: write `crate = ::tidings` or `crate = crate::tidings`",
            "a protocol has no type parameters: write a concrete type instead of `T`",
            "in a protocol `#[listener]` has no keys: the first parameter says what is heard, and a connection brings it in order",
            "a listener borrows the event: write `&DataReceived`",
            "a listener of a protocol has the instance only for its call: remove `async`, and give what takes longer to a task of `t.event_loop()`",
            "the connection keeps its instance: write `&mut self`",
            "all listeners share the event: remove `mut`",
            "the instance is borrowed for the call: remove the lifetime",
            "expected the event of the connection, like `(&mut self, e: &DataReceived)`",
            "a function has one `#[listener]`: write all topics and types in it",
            "a listener names the types of its parameters: write `&dyn Trait` and give the state as `Arc<dyn Trait>`",
            "a listener names what it returns: write the type instead of `impl`",
        ],
    );
}

#[test]
fn other_items_are_told_what_to_do() {
    let function = quote!(
        fn f() {}
    );
    refused(
        quote!(),
        function.clone(),
        function,
        &[
            "`#[protocol]` goes on an impl block: it makes the type of the block the protocol of connections",
        ],
    );
    refused(
        quote!(),
        quote!(
            impl Clone for Echo {}
        ),
        quote!(
            impl Clone for Echo {}
        ),
        &["`#[protocol]` goes on an inherent impl block: move the listeners to `impl Type { .. }`"],
    );
}
