//! The rules a listener keeps.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, Ident, Pat, PatType, ReceiverKind, ReturnType, Safety, Signature, Token, Type,
};

use super::head::Head;
use super::heard::event;
use super::keys::Args;
use super::{reply, timed};
use crate::args::CratePath;
use crate::attrs::{cfgs, docs, refuse_generics};
use crate::errors::Errors;
use crate::text;

/// A checked listener.
pub(crate) struct Listener {
    pub(crate) krate: CratePath,
    pub(crate) args: Args,
    pub(crate) ident: Ident,
    /// The type whose method or associated function it is.
    pub(crate) owner: Option<Type>,
    pub(crate) receiver: bool,
    /// What the reference in the first parameter refers to, with `batch` each of the references.
    pub(crate) event: Type,
    pub(crate) params: Vec<Param>,
    /// The return type, unless it is `()`.
    pub(crate) output: Option<Type>,
    pub(crate) asynchronous: Option<Token![async]>,
    pub(crate) docs: Option<String>,
    pub(crate) cfgs: Vec<Attribute>,
}

/// A parameter after the event.
pub(crate) struct Param {
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) name: String,
    pub(crate) ty: Type,
}

impl Listener {
    pub(crate) fn new(
        args: Args,
        head: Head,
        owner: Option<&Type>,
        krate: &CratePath,
        errors: &mut Errors,
    ) -> Option<Self> {
        let Head { attrs, signature } = head;
        check_attributes(&attrs, errors);
        check_modifiers(&signature, errors);
        for (_, target) in &args.relations {
            target.check(errors);
        }
        let mut inputs = signature.inputs.iter();
        let mut first = inputs.next();
        let receiver = matches!(first, Some(FnArg::Receiver(_)));
        if let Some(FnArg::Receiver(receiver)) = first {
            check_receiver(receiver, owner.is_some(), errors);
            first = inputs.next();
        }
        let ticks = args.delivery.word("every").is_some();
        let krate = args.krate.clone().unwrap_or_else(|| krate.clone());
        let event = match first {
            _ if ticks => {
                let p = krate.private();
                Some(syn::parse_quote!(#p::Tick))
            }
            Some(FnArg::Typed(param)) => event(param, &args.delivery, errors),
            // The error about a lone method says enough.
            None if receiver && owner.is_none() => None,
            _ => {
                let example = if receiver {
                    "(&self, e: &Placed)"
                } else {
                    "(e: &Placed)"
                };
                let message = format!("expected the event as first parameter, like `{example}`");
                errors.at(signature.paren_token.span.join(), message);
                None
            }
        };
        let first = first.filter(|_| ticks);
        let inputs = first.into_iter().chain(inputs);
        let params: Vec<Param> = inputs.filter_map(|input| param(input, errors)).collect();
        let output = output(&signature.output, errors);
        reply::check(&args, errors);
        let asynchronous = signature.asyncness.is_some();
        if args.delivery.timed().is_some() || args.delivery.word("missed").is_some() {
            timed::check(&args, asynchronous, errors);
        } else {
            args.delivery.check(asynchronous, output.is_some(), errors);
        }
        Some(Self {
            krate,
            args,
            owner: owner.cloned(),
            receiver,
            event: event?,
            params,
            output,
            asynchronous: signature.asyncness,
            docs: docs(&attrs),
            cfgs: cfgs(&attrs),
            ident: signature.ident,
        })
    }

    /// How generated code names the function.
    pub(crate) fn path(&self) -> TokenStream {
        let ident = &self.ident;
        let owner = self.owner.iter();
        quote_spanned!(ident.span()=> #(<#owner>::)*#ident)
    }

    /// The name behind the module path: `charge` or `Mailer::confirm`.
    pub(crate) fn name(&self) -> String {
        let ident = self.ident.unraw();
        match &self.owner {
            Some(Type::Path(owner)) => format!(
                "{}::{ident}",
                owner
                    .path
                    .segments
                    .last()
                    .map(text::of_type)
                    .unwrap_or_default()
            ),
            Some(owner) => format!("{}::{ident}", text::of_type(owner)),
            None => ident.to_string(),
        }
    }

    /// Whether the type of its first parameter is all that there is to check.
    pub(crate) fn names_its_event_only(&self) -> bool {
        self.args.reply.is_none()
            && self.args.selectors.is_empty()
            && self.output.is_none()
            && !self.outlives_emit()
    }

    /// Whether it can be stored as the function itself.
    pub(crate) fn plain(&self) -> bool {
        !self.receiver
            && self.args.reply.is_none()
            && self.params.is_empty()
            && self.args.when.is_none()
            && self.output.is_none()
            && !self.outlives_emit()
    }

    /// Whether deliveries go on after `emit`: then threads share the event.
    pub(crate) fn outlives_emit(&self) -> bool {
        self.asynchronous.is_some() || self.args.delivery.lane().is_some()
    }

    /// Whether it has no event.
    pub(crate) fn ticks(&self) -> bool {
        self.args.delivery.word("every").is_some()
    }
}

pub(crate) fn check_attributes(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs {
        if attr
            .path()
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "listener")
        {
            errors.at(
                attr.path().span(),
                "a function has one `#[listener]`: write all topics and types in it",
            );
        }
    }
}

pub(crate) fn check_modifiers(signature: &Signature, errors: &mut Errors) {
    refuse_generics(&signature.generics, "a listener", errors);
    if let Some(token) = signature.constness {
        errors.at(
            token.span,
            "a listener runs when an event is emitted: remove `const`",
        );
    }
    if let Safety::Unsafe(token) = signature.safety {
        errors.at(
            token.span,
            "a listener is called by safe code: remove `unsafe` and use an `unsafe` block inside",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(
            abi.extern_token.span,
            "a listener is a Rust function: remove `extern`",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic.dots.span(),
            "a listener has fixed parameters: remove `...`",
        );
    }
}

fn check_receiver(receiver: &syn::Receiver, in_block: bool, errors: &mut Errors) {
    let span = receiver.self_token.span;
    match &receiver.kind {
        _ if !in_block => errors.at(
            span,
            "the attribute of a lone method cannot see the type: annotate the impl block with `#[listeners]`, or with `#[protocol]` if it hears a connection",
        ),
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, Some(lifetime), None) if lifetime.ident == "_" => {}
        ReceiverKind::Reference(_, _, Some(token)) => errors.at(
            token.span,
            "a method listener takes `&self`: keep what it changes in a `Mutex` or an atomic",
        ),
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            errors.at(lifetime.span(), "a method listener takes `&self`: remove the lifetime");
        }
        _ => errors.at(span, "a method listener takes `&self`: keep what it changes in a `Mutex` or an atomic"),
    }
}

pub(crate) fn param(input: &FnArg, errors: &mut Errors) -> Option<Param> {
    let FnArg::Typed(PatType { attrs, pat, ty, .. }) = input else {
        return None;
    };
    if let Some(span) = has_impl(ty) {
        errors.at(span, "a listener names the types of its parameters: write `&dyn Trait` and give the state as `Arc<dyn Trait>`");
    }
    let name = match &**pat {
        Pat::Ident(pat) => pat.ident.unraw().to_string(),
        _ => "_".to_owned(),
    };
    Some(Param {
        cfgs: cfgs(attrs),
        name,
        ty: peel(ty).clone(),
    })
}

pub(crate) fn output(output: &ReturnType, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    if let Some(span) = has_impl(ty) {
        errors.at(
            span,
            "a listener names what it returns: write the type instead of `impl`",
        );
    }
    match peel(ty) {
        Type::Tuple(tuple) if tuple.elems.is_empty() => None,
        ty => Some(ty.clone()),
    }
}

/// Takes off parentheses and the invisible groups that `macro_rules` puts round a `$ty:ty`.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}

pub(crate) fn has_impl(ty: &Type) -> Option<Span> {
    fn find(tokens: TokenStream) -> Option<Span> {
        tokens.into_iter().find_map(|tree| match tree {
            TokenTree::Ident(word) if word == "impl" => Some(word.span()),
            TokenTree::Group(group) => find(group.stream()),
            _ => None,
        })
    }
    find(ty.to_token_stream())
}

/// Writes the type for `Self`, since a registration stands outside of the impl block.
pub(crate) fn replace_self(tokens: TokenStream, owner: &Type) -> TokenStream {
    let mut trees = tokens.into_iter().peekable();
    let mut replaced = TokenStream::new();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(word) if word == "Self" => {
                let place = |mut tree: TokenTree| {
                    tree.set_span(tree.span().located_at(word.span()));
                    tree
                };
                let ty: TokenStream = owner.to_token_stream().into_iter().map(place).collect();
                let in_path =
                    matches!(trees.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                // An error about the path is shown at the word, not at the attribute.
                let path = quote_spanned!(word.span()=> <#ty>);
                replaced.extend(if in_path { path } else { ty });
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace_self(group.stream(), owner));
                inner.set_span(group.span());
                replaced.extend([TokenTree::Group(inner)]);
            }
            tree => replaced.extend([tree]),
        }
    }
    replaced
}
