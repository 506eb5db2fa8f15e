use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_contains, assert_errors, errors, text};
use crate::listeners::expand;

/// Asserts the errors, and that the block is emitted without the attributes of its listeners.
#[track_caller]
fn refused(args: TokenStream, block: TokenStream, stripped: TokenStream, expected: &[&str]) {
    let output = expand(args, block);
    assert_errors(&output, &stripped, expected);
    assert!(
        !text(&output).contains("__private"),
        "listeners with errors are registered: {output}"
    );
}

#[test]
fn only_the_listener_attributes_are_taken_off() {
    let output = expand(
        quote!(),
        quote! {
            #[allow(x)]
            impl Mailer {
                #![allow(y)]
                const A: S = S { a: fn_name };
                pub type B = u8;
                make! { fn z() {} }
                make!(z);
                #[inline] #[tidings::listener(late)] #[cold]
                pub(crate) fn confirm(&self, e: &Placed) { self. }
                const fn other(&self) -> [u8; { 3 }] { [0; 3] }
                #[listener] fn count(e: &Placed) {}
            }
        },
    );

    let stripped = quote! {
        #[allow(x)]
        impl Mailer {
            #![allow(y)]
            const A: S = S { a: fn_name };
            pub type B = u8;
            make! { fn z() {} }
            make!(z);
            #[inline] #[cold]
            pub(crate) fn confirm(&self, e: &Placed) { self. }
            const fn other(&self) -> [u8; { 3 }] { [0; 3] }
            fn count(e: &Placed) {}
        }
    };
    assert!(text(&output).starts_with(&text(&stripped)), "{output}");
    assert!(!text(&output).contains("compile_error"), "{output}");
    assert_contains(&output, quote!(impl ::tidings::Listeners for Mailer));
    assert_contains(
        &output,
        quote! { &<Mailer>::count, ::core::concat!(::core::module_path!(), "::", "Mailer::count"), 13usize },
    );
}

#[test]
fn methods_wait_for_an_instance() {
    let output = expand(
        quote!(),
        quote!(impl Mailer { #[cfg(unix)] #[listener] fn confirm(&self, e: &Placed) {} }),
    );

    assert_eq!(errors(&output), [""; 0]);
    assert!(!text(&output).contains("Linked::new"), "{output}");
    assert_contains(
        &output,
        quote!(
            ::tidings::__private::submit! { ::tidings::__private::LinkedMethods::of::<Mailer>() }
        ),
    );
    assert!(
        text(&output).contains("&[#[cfg(unix)]{const__HEARS"),
        "{output}"
    );
    assert_contains(
        &output,
        quote!(
            &<Mailer>::confirm,
            ::core::concat!(::core::module_path!(), "::", "Mailer::confirm"),
            15usize
        ),
    );
    assert_contains(
        &output,
        quote!(let __this = ::core::clone::Clone::clone(__this);),
    );
    assert_contains(&output, quote!(<Mailer>::confirm(&__this, __e)));
}

#[test]
fn without_a_method_there_is_nothing_to_attach() {
    let output = expand(
        quote!(crate = ::other),
        quote!(impl a::Mailer { #[cfg(unix)] #[listener(Self::Sent)] fn count(e: &Self) {} }),
    );

    assert_eq!(errors(&output), [""; 0]);
    assert!(!text(&output).contains("Listeners"), "{output}");
    assert_contains(
        &output,
        quote!(#[cfg(unix)] #[allow(deprecated, non_upper_case_globals)] const _: () =),
    );
    assert_contains(&output, quote!(::other::__private::submit!));
    assert_contains(&output, quote!("Mailer::count"));
    assert_contains(&output, quote!(On::<a::Mailer>::new().plain));
    assert_contains(&output, quote!(Selector::of::<<a::Mailer>::Sent>()));
}

#[test]
fn errors_of_all_methods_come_together() {
    refused(
        quote!(late),
        quote! {
            impl<T> Mailer<T> {
                #[listener(erly)] fn a(&mut self, e: &Placed) {}
                #[listener] fn b(self: Arc<Self>, e: Placed) {}
                #[listener] #[listener] fn c(&self) {}
                fn d(self) {}
            }
        },
        quote! {
            impl<T> Mailer<T> {
                fn a(&mut self, e: &Placed) {}
                fn b(self: Arc<Self>, e: Placed) {}
                fn c(&self) {}
                fn d(self) {}
            }
        },
        &[
            "`#[listeners]` takes only `crate = ::path`: topics, types and other keys belong in `#[listener]`",
            "an impl block of listeners has no type parameters: write a concrete type instead of `T`",
            "unknown key `erly`, did you mean `early`?",
            "a method listener takes `&self`: keep what it changes in a `Mutex` or an atomic",
            "a method listener takes `&self`: keep what it changes in a `Mutex` or an atomic",
            "a listener borrows the event: write `&Placed`",
            "a function has one `#[listener]`: write all topics and types in it",
            "expected the event as first parameter, like `(&self, e: &Placed)`",
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
        &["`#[listeners]` goes on an impl block: a function takes `#[listener]`"],
    );
    let of_trait =
        "`#[listeners]` goes on an inherent impl block: move the listeners to `impl Type { .. }`";
    refused(
        quote!(),
        quote!(impl Send for A { #[listener] fn f(e: &A) {} }),
        quote!(impl Send for A { fn f(e: &A) {} }),
        &[of_trait],
    );
    let empty = quote!(impl A { fn f(e: &A) {} });
    refused(
        quote!(),
        empty.clone(),
        empty,
        &["no method here has `#[listener]`: put it on the methods that listen"],
    );
}
