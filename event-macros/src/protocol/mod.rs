//! `#[protocol]` on an impl block.

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::listener::head;
use crate::listener::model::replace_self;
use crate::listeners::crate_path;
use crate::listeners::head::{Words, owner, split};

const WORDS: Words = Words {
    attribute: "#[protocol]",
    elsewhere: "it makes the type of the block the protocol of connections",
    block: "a protocol",
};

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let message =
        "`#[protocol]` takes only `crate = ::path`: a server or a client has the other choices";
    let krate = crate_path(args, message, &mut errors);
    let block = match split(&item, WORDS) {
        Ok(block) => block,
        Err(error) => {
            errors.push(error);
            return item.into_iter().chain(errors.finish()).collect();
        }
    };
    let owner = owner(block.header, WORDS, &mut errors);
    let mut listeners = Vec::new();
    for method in block.methods {
        let Some(owner) = &owner else { continue };
        model::check_args(method.args, &mut errors);
        let head = errors.take(head::parse(replace_self(method.head, owner)));
        listeners.extend(head.and_then(|head| model::Listener::new(head, &mut errors)));
    }
    let correct = errors.is_empty();
    let mut output = block.output;
    output.extend(errors.finish());
    if let Some(owner) = owner.filter(|_| correct) {
        output.extend(expand::block(&owner, &krate, &listeners));
    }
    output
}
