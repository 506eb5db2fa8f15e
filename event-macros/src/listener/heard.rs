//! The first parameter: the event that a listener hears, or several of them.

use syn::spanned::Spanned;
use syn::{GenericArgument, PatType, PathArguments, Type, TypeReference};

use super::delivery::Delivery;
use super::model::{has_impl, peel};
use crate::attrs::cfgs;
use crate::errors::Errors;
use crate::text;

/// What the reference refers to, or each of several.
pub(super) fn event(param: &PatType, delivery: &Delivery, errors: &mut Errors) -> Option<Type> {
    if let Some(cfg) = cfgs(&param.attrs).first() {
        errors.at(
            cfg.path().span(),
            "the event is always there: put `#[cfg]` on the function",
        );
    }
    let Type::Reference(reference) = peel(&param.ty) else {
        let message = match has_impl(&param.ty) {
            None if delivery.batched() => several(event_of(&param.ty)),
            Some(_) => {
                "a listener names its event: write `&Placed`, or `&AnyEvent` to hear several"
                    .to_owned()
            }
            None => format!(
                "a listener borrows the event: write `&{}`",
                text::of_type(&param.ty)
            ),
        };
        errors.at(param.ty.span(), message);
        return None;
    };
    check_borrowed(reference, errors);
    let elem = peel(&reference.elem);
    let each = match elem {
        Type::Slice(slice) => match peel(&slice.elem) {
            Type::Reference(each) => Some(each),
            _ => None,
        },
        _ => None,
    };
    if let Some(each) = each {
        check_borrowed(each, errors);
    }
    check_number_of_events(elem, each.is_some(), delivery, errors);
    let event = each.map_or(elem, |each| peel(&each.elem));
    if let Some(span) = has_impl(event) {
        errors.at(
            span,
            "a listener names its event: write its type, or `AnyEvent` to hear several",
        );
    }
    Some(event.clone())
}

pub(crate) fn check_borrowed(reference: &TypeReference, errors: &mut Errors) {
    if let Some(token) = reference.mutability {
        errors.at(token.span, "all listeners share the event: remove `mut`");
    }
    if let Some(lifetime) = reference
        .lifetime
        .as_ref()
        .filter(|lifetime| lifetime.ident == "static")
    {
        errors.at(
            lifetime.span(),
            "the event is borrowed for the call: remove `'static`",
        );
    }
}

/// That the parameter takes one event, or several with `batch`. `each` says whether it has a reference to each of several.
fn check_number_of_events(elem: &Type, each: bool, delivery: &Delivery, errors: &mut Errors) {
    let event = event_of(elem);
    let (span, listed) = match elem {
        Type::Slice(slice) => (slice.bracket_token.span.join(), true),
        elem => (elem.span(), false),
    };
    let message = match (delivery.word("batch"), listed) {
        (None, false) => return,
        // The error about `batch` says enough.
        (Some(_), _) if delivery.queue().is_none() || delivery.timed().is_some() => return,
        (Some(_), true) if each => return,
        (Some(_), _) => several(event),
        (None, true) if delivery.queue().is_some() => format!(
            "one call is given one event: add `batch = 64` to be given several, or write `&{}`",
            text::of_type(event)
        ),
        (None, true) => format!(
            "one call is given one event: add `queue = 1024, batch = 64` to be given several, or write `&{}`",
            text::of_type(event)
        ),
    };
    errors.at(span, message);
}

fn several(event: &Type) -> String {
    let event = text::of_type(event);
    format!("with `batch` a listener borrows several events, each by itself: write `&[&{event}]`")
}

/// The event of a type that may be a list of such: `Placed` of `Vec<&Placed>`.
fn event_of(ty: &Type) -> &Type {
    let listed = match peel(ty) {
        Type::Reference(reference) => return event_of(&reference.elem),
        Type::Slice(slice) => Some(&*slice.elem),
        Type::Path(path) => match path.path.segments.last() {
            Some(last) if last.ident == "Vec" => match &last.arguments {
                PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
                    Some(GenericArgument::Type(ty)) => Some(ty),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    listed.map_or_else(|| peel(ty), event_of)
}
