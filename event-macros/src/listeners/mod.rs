//! `#[listeners]` on an impl block.

mod expand;
pub(crate) mod head;

use proc_macro2::{Span, TokenStream};

use crate::args::{CratePath, Seen, arguments, peek_key};
use crate::errors::Errors;
use crate::listener;
use crate::listener::keys::Args;
use crate::listener::model::{Listener, replace_self};

const WORDS: head::Words = head::Words {
    attribute: "#[listeners]",
    elsewhere: "a function takes `#[listener]`",
    block: "an impl block of listeners",
};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let message = "`#[listeners]` takes only `crate = ::path`: topics, types and other keys belong in `#[listener]`";
    let krate = crate_path(args, message, &mut errors);
    let block = match head::split(&item, WORDS) {
        Ok(block) => block,
        Err(error) => {
            errors.push(error);
            return item.into_iter().chain(errors.finish()).collect();
        }
    };
    let owner = head::owner(block.header, WORDS, &mut errors);
    if block.methods.is_empty() {
        errors.at(
            Span::call_site(),
            "no method here has `#[listener]`: put it on the methods that listen",
        );
    }
    let mut listeners = Vec::new();
    for method in block.methods {
        let Some(owner) = &owner else { continue };
        let args = Args::parse(replace_self(method.args, owner), &mut errors);
        let head = errors.take(listener::head::parse(replace_self(method.head, owner)));
        listeners.extend(
            head.and_then(|head| Listener::new(args, head, Some(owner), &krate, &mut errors)),
        );
    }
    let correct = errors.is_empty();
    let mut output = block.output;
    output.extend(errors.finish());
    if let Some(owner) = owner.filter(|_| correct) {
        output.extend(expand::block(&owner, &krate, &listeners));
    }
    output
}

/// Reads `crate = ::path`, the only argument of an attribute on an impl block.
pub(crate) fn crate_path(args: TokenStream, message: &str, errors: &mut Errors) -> CratePath {
    let mut path = CratePath::DEFAULT;
    let mut seen = Seen::default();
    arguments(args, errors, |input, errors| {
        let Some((key, _)) = peek_key(input).filter(|(key, _)| key == "crate") else {
            return Err(input.error(message));
        };
        seen.once(key, errors);
        path = CratePath::parse(input)?;
        Ok(())
    });
    path
}
