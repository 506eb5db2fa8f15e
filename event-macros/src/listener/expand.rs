//! The code of a checked listener.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::installer::installer;
use super::keys::{Selector, Side, Target};
use super::model::Listener;
use super::reply;

/// ```text
/// const __tidings_listener_charge: () = {
///     P::check_event::<Placed>();
///     P::submit! { P::Linked::new(|__b: &mut P::Installer<'_>| { .. }) }
/// };
/// ```
///
/// Every constant, static and closure is a body that the compiler checks for itself, which is most of what a listener costs in
/// `cargo check`; so there are as few as the errors allow.
///
/// An attribute cannot see whether it stands in an impl block. There, constants have names, and other constants do not see them: the error
/// about the second one says what to do.
///
/// ```text
/// const __put_listeners_on_the_impl_block_of_charge: () = ();
/// const __tidings_listener_charge: () = { let () = __put_listeners_on_the_impl_block_of_charge; .. };
/// ```
pub(crate) fn function(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let installer = installer(listener);
    let checks = if listener.names_its_event_only() {
        let event = &listener.event;
        let at = listener.krate.private_at(event.span());
        quote_spanned!(event.span()=> #at::check_event::<#event>();)
    } else {
        checks(listener)
    };
    let cfgs = &listener.cfgs;
    let ident = &listener.ident;
    let (name, anchor) = if listener.owner.is_some() {
        (format_ident!("_"), None)
    } else {
        // Not at the function's name, where the compiler would propose type parameters for this constant.
        let span = Span::call_site();
        let name = format_ident!("__tidings_listener_{}", ident.unraw(), span = span);
        let anchor = format_ident!(
            "__put_listeners_on_the_impl_block_of_{}",
            ident.unraw(),
            span = ident.span()
        );
        (name, Some(anchor))
    };
    let anchored = anchor.iter().map(|anchor| quote!(let () = #anchor;));
    let anchor = anchor.iter().map(|anchor| {
        quote! {
            #(#cfgs)*
            #[allow(non_upper_case_globals)]
            const #anchor: () = ();
        }
    });
    quote! {
        #(#cfgs)*
        #[allow(deprecated, non_upper_case_globals)]
        const #name: () = {
            #(#anchored)*
            #checks
            #p::submit! { #p::Linked::new(#installer) }
        };
        #(#anchor)*
    }
}

/// ```text
/// P::Registration::new(&charge, concat!(module_path!(), "::", "charge"), 6usize)
/// .id("billing.charge")
/// .selectors(__SELECTORS)
/// .returns(__GIVES)
/// .asynchronous()
/// .docs("Charges the card.")
/// .early()
/// .relations(const { &[P::Relation::after(P::Target::function(&crate::stock::reserve))] })
/// .condition("|e| e.total > 100")
/// .policy(P::Policy::asynchronous().limit(8))
/// .needs(const { &[P::Need::of::<&Db>("db")] })
/// .emits(const { &[<Paid as Event>::__info] })
/// ```
pub(crate) fn registration(listener: &Listener) -> TokenStream {
    let (path, name) = (listener.path(), listener.name());
    // The call carries the place of the function's name, which it records.
    let span = listener.ident.span();
    let new = listener.krate.private_at(span);
    let length = name.len();
    let arguments = quote!(&#path, ::core::concat!(::core::module_path!(), "::", #name), #length);
    let mut registration = quote_spanned!(span=> #new::Registration::new(#arguments));
    registration.extend(signature_calls(listener));
    registration.extend(key_calls(listener));
    registration
}

/// What the signature and the doc comment say.
fn signature_calls(listener: &Listener) -> TokenStream {
    let mut calls = TokenStream::new();
    if listener.args.reply.is_some() {
        calls.extend(quote!(.replies()));
    } else if listener.output.is_some() {
        calls.extend(quote!(.returns(__GIVES)));
    }
    if listener.asynchronous.is_some() {
        calls.extend(quote!(.asynchronous()));
    }
    if let Some(docs) = &listener.docs {
        calls.extend(quote!(.docs(#docs)));
    }
    if !listener.params.is_empty() {
        let needs = listener.params.iter().map(|param| {
            let (cfgs, name, ty) = (&param.cfgs, &param.name, &param.ty);
            let p = listener.krate.private_at(ty.span());
            let need = quote_spanned!(ty.span()=> #p::Need::of::<#ty>);
            quote!(#(#cfgs)* #need(#name))
        });
        calls.extend(quote!(.needs(const { &[#(#needs),*] })));
    }
    calls
}

/// What the keys of the attribute say.
fn key_calls(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let args = &listener.args;
    let mut calls = TokenStream::new();
    if let Some(id) = &args.id {
        calls.extend(quote!(.id(#id)));
    }
    if !args.selectors.is_empty() {
        calls.extend(quote!(.selectors(__SELECTORS)));
    }
    if let Some(phase) = &args.phase {
        calls.extend(quote!(.#phase()));
    }
    if !args.relations.is_empty() {
        let relations = args.relations.iter().map(|(side, target)| {
            let side = match side {
                Side::Before => quote!(before),
                Side::After => quote!(after),
            };
            let target = match target {
                Target::Function(path) => quote!(#p::Target::function(&#path)),
                Target::Id(id) => quote!(#p::Target::Id(#id)),
            };
            quote!(#p::Relation::#side(#target))
        });
        calls.extend(quote!(.relations(const { &[#(#relations),*] })));
    }
    if let Some(condition) = &args.when {
        let text = &condition.text;
        calls.extend(quote!(.condition(#text)));
    }
    calls.extend(args.delivery.call(&p));
    if !args.emits.is_empty() {
        let infos = args.emits.iter().map(|ty| info(listener, ty));
        calls.extend(quote!(.emits(const { &[#(#infos),*] })));
    }
    calls
}

fn info(listener: &Listener, ty: &Type) -> TokenStream {
    let krate = listener.krate.at(ty.span());
    quote_spanned!(ty.span()=> <#ty as #krate::Event>::__info)
}

/// ```text
/// const __HEARS: P::Hears = P::hears::<Placed>();
/// const __SELECTORS: &[P::Selector] = &[P::Selector::Pattern("orders.*"), P::Selector::of::<Shipped>()];
/// const __GIVES: P::Gives = P::gives::<Result<Paid, ChargeError>>();
/// const _: () = P::check_selector(__HEARS, &__SELECTORS[0usize]);
/// const _: () = P::check_return(__HEARS, __GIVES, false);
/// ```
///
/// Each check stands at the token that would have to change: that is where the compiler shows a constant that fails. A type is
/// named once, so that a wrong one is one error: a constant that uses a broken one is not reported.
pub(crate) fn checks(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let event = &listener.event;
    let mut checks = quote!(const __HEARS: #p::Hears = #p::hears::<#event>(););
    let selectors = &listener.args.selectors;
    if selectors.is_empty() {
        let at = listener.krate.private_at(event.span());
        let check = quote_spanned!(event.span()=> const _: () = #at::check_selected(__HEARS););
        checks.extend(check);
    } else {
        let entries = selectors.iter().map(|selector| match selector {
            Selector::Pattern(pattern) => quote!(#p::Selector::Pattern(#pattern)),
            Selector::Type(ty) => quote!(#p::Selector::of::<#ty>()),
        });
        checks.extend(quote!(const __SELECTORS: &[#p::Selector] = &[#(#entries),*];));
    }
    for (index, selector) in selectors.iter().enumerate() {
        let span = selector.span();
        let at = listener.krate.private_at(span);
        let check = quote_spanned!(span=> const _: () = #at::check_selector(__HEARS, &__SELECTORS[#index]););
        checks.extend(check);
    }
    let queued = listener.args.delivery.lane().is_some();
    if listener.outlives_emit() {
        let at = listener.krate.private_at(event.span());
        let check = if queued {
            quote_spanned!(event.span()=> #at::On::<#event>::new().queueable();)
        } else {
            quote_spanned!(event.span()=> #at::On::<#event>::new().shared();)
        };
        checks.extend(quote! {
            const _: fn() = || {
                #[allow(unused_imports)]
                use #p::OnFallback as _;
                #check
            };
        });
    }
    checks.extend(listener.args.delivery.checks(&listener.krate));
    if let Some(word) = &listener.args.reply {
        checks.extend(reply::checks(listener, word));
    } else if let Some(output) = &listener.output {
        let at = listener.krate.private_at(output.span());
        let asynchronous = listener.asynchronous.is_some();
        checks.extend(quote!(const __GIVES: #p::Gives = #p::gives::<#output>();));
        let check = if listener.args.delivery.timed().is_some() {
            quote_spanned!(output.span()=> const _: () = #at::check_timed_return(__GIVES);)
        } else if queued {
            quote_spanned!(output.span()=> const _: () = #at::check_queue_return(__GIVES);)
        } else {
            quote_spanned! {output.span()=>
                const _: () = #at::check_return(__HEARS, __GIVES, #asynchronous);
            }
        };
        checks.extend(check);
        if let Some(word) = listener.args.delivery.word("retry") {
            let at = listener.krate.private_at(word.span());
            checks.extend(quote_spanned!(word.span()=> const _: () = #at::check_retry(__GIVES);));
        }
    }
    checks
}
