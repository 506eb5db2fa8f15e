//! `#[listener]` on a function.

mod delivery;
pub(crate) mod expand;
pub(crate) mod head;
pub(crate) mod heard;
pub(crate) mod installer;
pub(crate) mod keys;
pub(crate) mod model;
mod reply;
mod timed;
mod values;

use proc_macro2::TokenStream;

use crate::args::CratePath;
use crate::errors::Errors;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = keys::Args::parse(args, &mut errors);
    let model = errors
        .take(head::parse(item.clone()))
        .and_then(|head| model::Listener::new(args, head, None, &CratePath::DEFAULT, &mut errors));
    let correct = errors.is_empty();
    let mut output = item;
    output.extend(errors.finish());
    output.extend(
        model
            .filter(|_| correct)
            .map(|model| expand::function(&model)),
    );
    output
}
