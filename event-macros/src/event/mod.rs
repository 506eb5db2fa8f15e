//! `#[event]`.

mod expand;
mod head;
mod model;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = model::Args::parse(args, &mut errors);
    let model = errors
        .take(head::parse(item.clone()))
        .and_then(|head| model::Event::new(args, head, &mut errors));
    let correct = errors.is_empty();
    let mut output = item;
    output.extend(errors.finish());
    output.extend(model.map(|model| expand::event(&model, correct)));
    output
}
