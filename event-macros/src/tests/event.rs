use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_contains, assert_errors, errors, text};
use crate::event::expand;

#[track_caller]
fn refused(args: TokenStream, item: TokenStream, expected: &[&str]) -> TokenStream {
    let output = expand(args, item.clone());
    assert_errors(&output, &item, expected);
    assert!(
        !text(&output).contains("submit"),
        "an event with errors is registered: {output}"
    );
    output
}

#[test]
fn the_item_is_emitted_untouched() {
    let item = quote!(
        /** Doc. */
        #[derive(Debug)]
        pub(crate) struct r#Type<T: Clone = u8>(#[serde(skip)] pub T)
        where
            T: Send;
    );

    let output = expand(quote!("t"), item.clone());

    assert!(text(&output).starts_with(&text(&item)));
    assert_eq!(errors(&output), [""; 0]);
    assert_contains(
        &output,
        quote!(impl<T: Clone> ::tidings::Event for r#Type<T> where T: Send, T: 'static),
    );
}

#[test]
fn keys_reach_the_record() {
    let output = expand(
        quote!(
            "orders.placed",
            version = 7,
            serde,
            stoppable,
            unheard = "warn",
            crate = crate::lib
        ),
        quote!(
            struct Placed;
        ),
    );

    assert_eq!(errors(&output), [""; 0]);
    assert_contains(
        &output,
        quote!(EventInfo::new(
            "orders.placed",
            7u32,
            ::core::concat!(::core::module_path!(), "::", "Placed")
        )),
    );
    assert_contains(
        &output,
        quote!(.with_stoppable().with_unheard(crate::lib::__private::Unheard::Warn);),
    );
    assert_contains(
        &output,
        quote!(of::<Self>().json(crate::lib::__private::json_codec!(Placed))),
    );
    assert_contains(
        &output,
        quote!(
            const __STOPPABLE: ::core::primitive::bool = true;
        ),
    );
    assert!(!text(&output).contains("tidings::"), "{output}");
}

#[test]
fn fields_keep_their_cfgs_and_raw_names_lose_the_prefix() {
    let output = expand(
        quote!(),
        quote!(
            struct A {
                #[cfg(unix)]
                #[serde(skip)]
                a: Vec<u8>,
                r#type: (u8, &'static str),
            }
        ),
    );

    assert_contains(
        &output,
        quote! {
            .with_fields(const { &[
                #[cfg(unix)] ::tidings::__private::Field::new("a", "Vec<u8>"),
                ::tidings::__private::Field::new("type", "(u8, &'static str)")
            ] })
        },
    );
}

#[test]
fn variants_are_fields() {
    let output = expand(
        quote!(),
        quote!(
            enum A {
                B,
                #[cfg(unix)]
                C(u32, u8),
                D {
                    a: u32,
                    b: u8,
                },
            }
        ),
    );

    assert_contains(&output, quote!(Field::new("B", "")));
    assert_contains(
        &output,
        quote!(
            #[cfg(unix)]
            ::tidings::__private::Field::new("C", "(u32, u8)")
        ),
    );
    assert_contains(&output, quote!(Field::new("D", "{ a: u32, b: u8 }")));
}

#[test]
fn a_generic_event_has_neither_slot_nor_operations_to_register() {
    let output = expand(
        quote!("paged"),
        quote!(
            struct Paged<T, const N: usize>([T; N]);
        ),
    );

    assert_contains(&output, quote!(.with_generic();));
    assert_contains(
        &output,
        quote!(
            fn __slot() -> ::core::option::Option<&'static ::tidings::__private::Slot<Self>> {
                ::core::option::Option::None
            }
        ),
    );
    assert_contains(
        &output,
        quote!(EventRegistration::new(
            &__TIDINGS_INFO,
            ::core::option::Option::None
        )),
    );
    assert!(!text(&output).contains("__TIDINGS_SLOT"));
}

#[test]
fn half_typed_fields_still_give_an_event() {
    let item = quote!(struct Placed { id: u64, total });

    let output = expand(quote!(), item);

    assert_contains(&output, quote!(impl ::tidings::Event for Placed));
}

#[test]
fn all_errors_of_one_attribute_come_together() {
    let output = refused(
        quote!(
            "orders.*",
            vers = 1,
            version = 0,
            unheard = "loud",
            stoppable = true,
            serde + 1,
            version = "2",
            crate = tidings,
            queue
        ),
        quote!(
            struct Placed {
                a: u8,
            }
        ),
        &[
            "`orders.*` is a pattern, an event has one topic: patterns belong in `#[listener(\"orders.*\")]`",
            "unknown key `vers`, did you mean `version`?",
            "expected a version between 1 and 4294967295, like `version = 2`",
            "expected `\"ignore\"`, `\"warn\"` or `\"error\"`",
            "`stoppable` takes no value: write `stoppable`",
            "expected a topic like `\"orders.placed\"` or a key like `version = 2`",
            "`version` is given twice: remove one",
            "`version` is given here first",
            "expected a version from 1, like `version = 2`",
            "`tidings` is not absolute: write `crate = ::tidings` or `crate = crate::tidings`",
            "unknown key `queue`: expected `version`, `serde`, `reply`, `unanswered`, `stoppable`, `unheard` or `crate`",
        ],
    );

    assert_contains(&output, quote!(impl ::tidings::Event for Placed));
    assert_contains(
        &output,
        quote!(
            const TOPIC: &'static ::core::primitive::str = "placed";
        ),
    );
}

#[test]
fn one_topic_only() {
    refused(
        quote!("a", "b"),
        quote!(
            struct A;
        ),
        &[
            "an event has one topic: remove one",
            "the topic is given here first",
        ],
    );
    refused(
        quote!(1),
        quote!(
            struct A;
        ),
        &["expected a topic like `\"orders.placed\"` or a key like `version = 2`"],
    );
    refused(
        quote!(version),
        quote!(
            struct A;
        ),
        &["expected a version from 1, like `version = 2`"],
    );
    refused(
        quote!(version =),
        quote!(
            struct A;
        ),
        &["expected a version from 1, like `version = 2`"],
    );
    refused(
        quote!(),
        quote!(
            struct Größe;
        ),
        &["the name `Größe` does not make a topic: write one, like `#[event(\"orders.placed\")]`"],
    );
}

#[test]
fn generic_events_name_a_topic_and_are_not_serde() {
    refused(
        quote!(serde),
        quote!(
            struct Paged<T>(T);
        ),
        &[
            "a generic event cannot be `serde`: its name does not tell which type to read",
            "a generic event names its topic: write `#[event(\"paged\")]`",
        ],
    );
}

#[test]
fn an_event_does_not_borrow() {
    let output = refused(
        quote!(),
        quote!(
            struct Borrowed<'a>(&'a str);
        ),
        &[
            "an event owns its data, since listeners may run after the emitter: remove `'a` and write owned types, like `String` for `&str`",
        ],
    );

    assert!(!text(&output).contains("impl"), "{output}");
}

#[test]
fn other_items_are_told_what_to_do() {
    for (item, message) in [
        (
            quote!(union U { a: u8 }),
            "a union cannot be an event: declare a struct or an enum",
        ),
        (
            quote!(
                pub(crate) async fn f() {}
            ),
            "`#[event]` goes on a struct or an enum: a function takes `#[listener]`",
        ),
        (
            quote!(impl A {}),
            "`#[event]` goes on the struct or enum itself, not on its impl block",
        ),
        (
            quote!(
                type A = B;
            ),
            "`#[event]` goes on the struct or enum itself, not on an alias",
        ),
        (
            quote!(
                mod a {}
            ),
            "`#[event]` goes on a struct or an enum",
        ),
    ] {
        refused(quote!(), item, &[message]);
    }
}

#[test]
fn docs_lose_one_space_and_keep_their_lines() {
    let output = expand(
        quote!(),
        quote! {
            /// First.
            ///  Second.
            #[doc(hidden)]
            struct A;
        },
    );

    assert!(
        output
            .to_string()
            .contains(r#". with_docs ("First.\n Second.")"#),
        "{output}"
    );
}
