//! The attributes on token streams.
#![allow(
    clippy::needless_pass_by_value,
    reason = "the helpers take `quote!(..)` as it is written"
)]

mod event;
mod listener;
mod listeners;
mod main_fn;
mod protocol;
mod snapshots;

use proc_macro2::TokenStream;
use syn::{Item, LitStr, Macro};

/// The messages of the `compile_error!`s in an expansion.
fn errors(output: &TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(output.clone()).expect("the output is a list of items");
    let message = |mac: &Macro| {
        mac.parse_body::<LitStr>()
            .expect("an error has a message")
            .value()
    };
    file.items
        .iter()
        .filter_map(|item| match item {
            Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
                Some(message(&item.mac))
            }
            _ => None,
        })
        .collect()
}

/// Asserts the messages of an expansion that has to have some, and that the item comes first.
#[track_caller]
fn assert_errors(output: &TokenStream, item: &TokenStream, expected: &[&str]) {
    assert_eq!(errors(output), expected);
    assert!(
        text(output).starts_with(&text(item)),
        "the item is not untouched: {output}"
    );
}

/// Text that does not depend on how tokens are spaced.
fn text(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

#[track_caller]
fn assert_contains(output: &TokenStream, part: TokenStream) {
    assert!(
        text(output).contains(&text(&part)),
        "`{part}` is not in `{output}`"
    );
}
