//! `#[main]` on a program's `fn main`.

mod expand;
mod head;
mod keys;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let keys = keys::Keys::parse(args, &mut errors);
    let Some(head) = errors.take(head::parse(item.clone())) else {
        return item.into_iter().chain(errors.finish()).collect();
    };
    head.check(&mut errors);
    if errors.is_empty() {
        return expand::main(&keys, &head, &item);
    }
    let output = if head.is_main() {
        expand::wrong_main(&item)
    } else {
        item
    };
    output.into_iter().chain(errors.finish()).collect()
}
