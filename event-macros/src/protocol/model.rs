//! The rules a listener of a protocol keeps.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, PatType, ReceiverKind, Type};

use crate::attrs::{cfgs, docs};
use crate::errors::Errors;
use crate::listener::head::Head;
use crate::listener::heard::check_borrowed;
use crate::listener::model::{
    Param, check_attributes, check_modifiers, has_impl, output, param, peel,
};
use crate::text;

/// A checked listener.
pub(super) struct Listener {
    pub(super) ident: Ident,
    /// It asks for the instance.
    pub(super) receiver: bool,
    /// What the reference in the first parameter refers to.
    pub(super) event: Type,
    pub(super) params: Vec<Param>,
    /// The return type, unless it is `()`.
    pub(super) output: Option<Type>,
    pub(super) docs: Option<String>,
    pub(super) cfgs: Vec<Attribute>,
}

/// Refuses every key of `#[listener]`: they are about deliveries of a bus.
pub(super) fn check_args(args: TokenStream, errors: &mut Errors) {
    if let Some(first) = args.into_iter().next() {
        errors.at(
            first.span(),
            "in a protocol `#[listener]` has no keys: the first parameter says what is heard, and a connection brings it in order",
        );
    }
}

impl Listener {
    pub(super) fn new(head: Head, errors: &mut Errors) -> Option<Self> {
        let Head { attrs, signature } = head;
        check_attributes(&attrs, errors);
        check_modifiers(&signature, errors);
        if let Some(token) = signature.asyncness {
            errors.at(
                token.span,
                "a listener of a protocol has the instance only for its call: remove `async`, and give what takes longer to a task of `t.event_loop()`",
            );
        }
        let mut inputs = signature.inputs.iter();
        let mut first = inputs.next();
        let receiver = matches!(first, Some(FnArg::Receiver(_)));
        if let Some(FnArg::Receiver(receiver)) = first {
            check_receiver(receiver, errors);
            first = inputs.next();
        }
        let event = if let Some(FnArg::Typed(param)) = first {
            event(param, errors)
        } else {
            errors.at(
                signature.paren_token.span.join(),
                "expected the event of the connection, like `(&mut self, e: &DataReceived)`",
            );
            None
        };
        let params = inputs.filter_map(|input| param(input, errors)).collect();
        let output = output(&signature.output, errors);
        Some(Self {
            receiver,
            event: event?,
            params,
            output,
            docs: docs(&attrs),
            cfgs: cfgs(&attrs),
            ident: signature.ident,
        })
    }
}

/// What the reference refers to.
fn event(param: &PatType, errors: &mut Errors) -> Option<Type> {
    if let Some(cfg) = cfgs(&param.attrs).first() {
        errors.at(
            cfg.path().span(),
            "the event is always there: put `#[cfg]` on the function",
        );
    }
    if let Some(span) = has_impl(&param.ty) {
        errors.at(
            span,
            "a listener of a protocol names its event, like `&DataReceived`",
        );
        return None;
    }
    let Type::Reference(reference) = peel(&param.ty) else {
        let message = format!(
            "a listener borrows the event: write `&{}`",
            text::of_type(&param.ty)
        );
        errors.at(param.ty.span(), message);
        return None;
    };
    check_borrowed(reference, errors);
    Some(peel(&reference.elem).clone())
}

fn check_receiver(receiver: &syn::Receiver, errors: &mut Errors) {
    let message = match &receiver.kind {
        ReceiverKind::Reference(_, None, _) => return,
        ReceiverKind::Reference(_, Some(lifetime), _) if lifetime.ident == "_" => return,
        ReceiverKind::Reference(_, Some(lifetime), _) => {
            return errors.at(
                lifetime.span(),
                "the instance is borrowed for the call: remove the lifetime",
            );
        }
        _ => "the connection keeps its instance: write `&mut self`",
    };
    errors.at(receiver.self_token.span, message);
}
