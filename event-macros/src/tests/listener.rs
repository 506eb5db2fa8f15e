use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_contains, assert_errors, errors, text};
use crate::listener::expand;

#[track_caller]
fn refused(args: TokenStream, item: TokenStream, expected: &[&str]) {
    let output = expand(args, item.clone());
    assert_errors(&output, &item, expected);
    assert!(
        !text(&output).contains("submit"),
        "a listener with errors is registered: {output}"
    );
}

#[track_caller]
fn accepted(args: TokenStream, item: TokenStream) -> TokenStream {
    let output = expand(args, item.clone());
    assert_eq!(errors(&output), [""; 0]);
    assert!(
        text(&output).starts_with(&text(&item)),
        "the item is not untouched: {output}"
    );
    output
}

#[test]
fn a_body_is_never_parsed() {
    let item = quote!(fn handle(e: &Placed) { let x = e. });

    let output = expand(quote!(), item.clone());

    assert!(text(&output).starts_with(&text(&item)));
    assert_contains(&output, quote!(On::<Placed>::new().plain));
    assert!(!text(&output).contains("compile_error"));
}

#[test]
fn the_plain_form_is_for_the_simplest_signature_only() {
    for item in [
        quote!(
            fn f(e: &A) {}
        ),
        quote!(
            fn f(e: &A) -> () {}
        ),
        quote!(
            fn f(A { .. }: &(A)) {}
        ),
    ] {
        assert_contains(&accepted(quote!(), item), quote!(On::<A>::new().plain));
    }
    for (args, item) in [
        (
            quote!(),
            quote!(
                fn f(e: &A, db: &Db) {}
            ),
        ),
        (
            quote!(),
            quote!(
                fn f(e: &A) -> Result<(), E> {}
            ),
        ),
        (
            quote!(when = |e| e.ok),
            quote!(
                fn f(e: &A) {}
            ),
        ),
    ] {
        assert_contains(&accepted(args, item), quote!(On::<A>::new().sync));
    }
    assert_contains(
        &accepted(
            quote!(),
            quote!(
                async fn f(e: &A) {}
            ),
        ),
        quote!(On::<A>::new().future),
    );
}

#[test]
fn parameters_keep_their_cfgs_everywhere() {
    let output = accepted(
        quote!(),
        quote!(
            fn f(
                e: &A,
                #[cfg(unix)]
                #[allow(x)]
                db: &Db,
                (a, b): Context<'_>,
            ) {
            }
        ),
    );

    assert_contains(
        &output,
        quote!(#[cfg(unix)] let __p1 = ::tidings::__private::Ask::<&Db>::new().bind(__b);),
    );
    assert_contains(
        &output,
        quote!(f(
            __e,
            #[cfg(unix)]
            ::tidings::__private::Ask::<&Db>::new().get(&__p1, __d),
            ::tidings::__private::Ask::<Context<'_>>::new().get(&__p2, __d)
        )),
    );
    assert_contains(
        &output,
        quote!(
            #[cfg(unix)]
            ::tidings::__private::Need::of::<&Db>("db")
        ),
    );
    assert_contains(&output, quote!(Need::of::<Context<'_>>("_")));
}

#[test]
fn keys_reach_the_record() {
    let output = accepted(
        quote! {
            "orders.*", Shipped, shop::Refused, late, before = "mail.send", after(stock::reserve, "audit"), before(<M>::f),
            when = |e| e.total > 100, id = "billing.charge", emits(Paid), crate = ::other::path
        },
        quote!(
            fn r#do(e: &Paged<User>) {}
        ),
    );

    let p = quote!(::other::path::__private);
    assert_contains(
        &output,
        quote! {
            .selectors(__SELECTORS)
            .late()
            .relations(const { &[
                #p::Relation::before(#p::Target::Id("mail.send")),
                #p::Relation::after(#p::Target::function(&stock::reserve)),
                #p::Relation::after(#p::Target::Id("audit")),
                #p::Relation::before(#p::Target::function(&<M>::f))
            ] })
            .condition("|e| e.total > 100")
            .emits(const { &[<Paid as ::other::path::Event>::__info] })
        },
    );
    assert_contains(
        &output,
        quote! { #p::Registration::new(&r#do, ::core::concat!(::core::module_path!(), "::", "do"), 2usize).id("billing.charge") },
    );
    assert_contains(
        &output,
        quote! {
            const __HEARS: #p::Hears = #p::hears::<Paged<User>>();
            const __SELECTORS: &[#p::Selector] = &[
                #p::Selector::Pattern("orders.*"),
                #p::Selector::of::<Shipped>(),
                #p::Selector::of::<shop::Refused>()
            ];
            const _: () = #p::check_selector(__HEARS, &__SELECTORS[0usize]);
            const _: () = #p::check_selector(__HEARS, &__SELECTORS[1usize]);
            const _: () = #p::check_selector(__HEARS, &__SELECTORS[2usize]);
        },
    );
    assert!(!text(&output).contains("::tidings"), "{output}");
}

#[test]
fn all_errors_of_one_listener_come_together() {
    refused(
        quote!(
            "a b",
            whne = |e| true,
            early,
            late,
            id = 5,
            id = "x y",
            before = "a b",
            when = true,
            emits(),
            7,
            priority(1)
        ),
        quote!(
            const unsafe extern "C" fn f<'a, T, const N: usize>(
                e: A,
                b: impl Fn(),
                ...
            ) -> impl Sized {
            }
        ),
        &[
            "the pattern `a b` contains ` `: write letters, digits, `_` and `-`, and `.` between segments",
            "unknown key `whne`, did you mean `when`?",
            "`late` contradicts `early`: remove one",
            "expected text in quotes, like `id = \"billing.charge\"`",
            "`id` is given twice: remove one",
            "`id` is given here first",
            "the id `x y` contains ` `: write letters, digits, `_`, `-`, `.` and `:`",
            "expected a closure of one argument, like `when = |e| e.total > 100`",
            "expected the event types in parentheses, like `emits(Paid, Refused)`",
            "expected a topic or a pattern in quotes, like `\"orders.*\"`",
            "unknown key `priority`: expected `early`, `late`, `before`, `after`, `when`, `id`, `emits`, `reply`, `limit`, `overlap`, `timeout`, `queue`, `workers`, `key`, `batch`, `overflow`, `retry`, `backoff`, `retry_if`, `every`, `missed`, `debounce`, `throttle` or `crate`",
            "a listener has no lifetime parameters: remove `'a`",
            "a listener has no type parameters: write a concrete type instead of `T`",
            "a listener has no const parameters: write a value instead of `N`",
            "a listener runs when an event is emitted: remove `const`",
            "a listener is called by safe code: remove `unsafe` and use an `unsafe` block inside",
            "a listener is a Rust function: remove `extern`",
            "a listener has fixed parameters: remove `...`",
            "the id `a b` contains ` `: write letters, digits, `_`, `-`, `.` and `:`",
            "a listener borrows the event: write `&A`",
            "a listener names the types of its parameters: write `&dyn Trait` and give the state as `Arc<dyn Trait>`",
            "a listener names what it returns: write the type instead of `impl`",
        ],
    );
}

#[test]
fn the_event_is_a_shared_reference() {
    for (item, message) in [
        (
            quote!(
                fn f() {}
            ),
            "expected the event as first parameter, like `(e: &Placed)`",
        ),
        (
            quote!(
                fn f(e: &mut A) {}
            ),
            "all listeners share the event: remove `mut`",
        ),
        (
            quote!(
                fn f(e: &'static A) {}
            ),
            "the event is borrowed for the call: remove `'static`",
        ),
        (
            quote!(
                fn f(e: Vec<A>) {}
            ),
            "a listener borrows the event: write `&Vec<A>`",
        ),
        (
            quote!(
                fn f(e: impl Event) {}
            ),
            "a listener names its event: write `&Placed`, or `&AnyEvent` to hear several",
        ),
        (
            quote!(
                fn f(e: &impl Event) {}
            ),
            "a listener names its event: write its type, or `AnyEvent` to hear several",
        ),
        (
            quote!(
                fn f(#[cfg(unix)] e: &A) {}
            ),
            "the event is always there: put `#[cfg]` on the function",
        ),
        (
            quote!(
                fn f(&self) {}
            ),
            "the attribute of a lone method cannot see the type: annotate the impl block with `#[listeners]`, or with `#[protocol]` if it hears a connection",
        ),
        (
            quote!(
                fn f(&mut self, e: &A) {}
            ),
            "the attribute of a lone method cannot see the type: annotate the impl block with `#[listeners]`, or with `#[protocol]` if it hears a connection",
        ),
        (
            quote!(
                #[listener]
                fn f(e: &A) {}
            ),
            "a function has one `#[listener]`: write all topics and types in it",
        ),
    ] {
        refused(quote!(), item, &[message]);
    }
}

#[test]
fn bare_names_are_types_unless_they_look_like_keys() {
    for ty in [
        quote!(Early),
        quote!(shipped),
        quote!(r#type),
        quote!(crate::Early),
        quote!(Paged<A, B>),
        quote!(<A as B>::C),
    ] {
        assert_contains(
            &accepted(
                ty.clone(),
                quote!(
                    fn f(e: &A) {}
                ),
            ),
            quote!(Selector::of::<#ty>()),
        );
    }
    for (args, message) in [
        (quote!(earli), "unknown key `earli`, did you mean `early`?"),
        (
            quote!(when),
            "expected a closure of one argument, like `when = |e| e.total > 100`",
        ),
        (
            quote!(id),
            "expected text in quotes, like `id = \"billing.charge\"`",
        ),
        (quote!(crate), "expected a path, like `crate = ::tidings`"),
        (
            quote!(early = true),
            "`early` takes no value: write `early`",
        ),
        (
            quote!(emits = Paid),
            "expected the event types in parentheses, like `emits(Paid, Refused)`",
        ),
        (
            quote!(when = |a, b| true),
            "expected a closure of one argument, like `when = |e| e.total > 100`",
        ),
        (
            quote!(when = || true),
            "expected a closure of one argument, like `when = |e| e.total > 100`",
        ),
        (
            quote!(+),
            "expected an event type, a topic like `\"orders.placed\"` or a key like `early`",
        ),
    ] {
        refused(
            args,
            quote!(
                fn f(e: &A) {}
            ),
            &[message],
        );
    }
}

#[test]
fn an_error_in_one_argument_does_not_hide_the_next() {
    refused(
        quote!(id = 1 + 2, early, early),
        quote!(
            fn f(e: &A) {}
        ),
        &[
            "expected text in quotes, like `id = \"billing.charge\"`",
            "`early` is given twice: remove one",
            "`early` is given here first",
        ],
    );
}

#[test]
fn other_items_are_told_what_to_do() {
    for (item, message) in [
        (
            quote!(
                pub struct A;
            ),
            "`#[listener]` goes on a function: a type takes `#[event]`",
        ),
        (
            quote!(impl A {}),
            "`#[listener]` goes on the methods: annotate the impl block with `#[listeners]`",
        ),
        (
            quote!(
                const A: u8 = 1;
            ),
            "`#[listener]` goes on a function",
        ),
        (
            quote!(
                mod a {}
            ),
            "`#[listener]` goes on a function",
        ),
    ] {
        refused(quote!(), item, &[message]);
    }
}
