//! The code of a checked listener.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::installer::installer;
use super::keys::{Selector, Side, Target};
use super::model::Listener;

/// ```text
/// const __tidings_listener_charge: () = {
///     const __HEARS: P::Hears = P::hears::<Placed>();
///     const _: () = P::check_selected(__HEARS);
///     P::submit! { P::Registration::new(.., |__b: &mut P::Installer<'_>| { .. }).docs("..") }
/// };
/// ```
///
/// An attribute cannot see whether it stands in an impl block. There, constants have names, and other constants do not see them: the error
/// about the second one says what to do.
///
/// ```text
/// const __put_listeners_on_the_impl_block_of_charge: () = ();
/// const __tidings_listener_charge: () = { const _: () = __put_listeners_on_the_impl_block_of_charge; .. };
/// ```
pub(crate) fn function(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let registration = registration(listener, &installer(listener));
    let checks = checks(listener);
    let cfgs = &listener.cfgs;
    let ident = &listener.ident;
    let (name, anchor) = if listener.owner.is_some() {
        (format_ident!("_"), None)
    } else {
        let name = format_ident!("__tidings_listener_{}", ident.unraw());
        let anchor = format_ident!(
            "__put_listeners_on_the_impl_block_of_{}",
            ident.unraw(),
            span = ident.span()
        );
        (name, Some(anchor))
    };
    let anchored = anchor.iter().map(|anchor| quote!(const _: () = #anchor;));
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
            #p::submit! { #registration }
        };
        #(#anchor)*
    }
}

/// ```text
/// P::Registration::new(
///     P::FnKey::of(&charge), "billing.charge", "charge", module_path!(), __HEARS, |__b: &mut P::Installer<'_>| { .. },
/// )
/// .selectors(__SELECTORS)
/// .returns(__GIVES)
/// .asynchronous()
/// .docs("Charges the card.")
/// .early()
/// .relations(const { &[P::Relation::after(P::Target::function(&crate::stock::reserve))] })
/// .condition("|e| e.total > 100")
/// .needs(const { &[P::Need::of::<&Db>("db")] })
/// .emits(const { &[<Paid as Event>::__info] })
/// ```
pub(crate) fn registration(listener: &Listener, installer: &TokenStream) -> TokenStream {
    let p = listener.krate.private();
    let (path, name) = (listener.path(), listener.name());
    let default_id = || quote!(::core::concat!(::core::module_path!(), "::", #name));
    let id = (listener.args.id.as_ref()).map_or_else(default_id, ToTokens::to_token_stream);
    // The call carries the place of the function's name, which it records.
    let span = listener.ident.span();
    let new = listener.krate.private_at(span);
    let arguments =
        quote!(#p::FnKey::of(&#path), #id, #name, ::core::module_path!(), __HEARS, #installer);
    let mut registration = quote_spanned!(span=> #new::Registration::new(#arguments));
    registration.extend(signature_calls(listener));
    registration.extend(key_calls(listener));
    registration
}

/// What the signature and the doc comment say.
fn signature_calls(listener: &Listener) -> TokenStream {
    let mut calls = TokenStream::new();
    if listener.output.is_some() {
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
    if listener.asynchronous.is_some() {
        let at = listener.krate.private_at(event.span());
        let check = quote_spanned!(event.span()=> #at::On::<#event>::new().shared(););
        checks.extend(quote! {
            const _: fn() = || {
                #[allow(unused_imports)]
                use #p::OnFallback as _;
                #check
            };
        });
    }
    if let Some(output) = &listener.output {
        let at = listener.krate.private_at(output.span());
        let asynchronous = listener.asynchronous.is_some();
        checks.extend(quote!(const __GIVES: #p::Gives = #p::gives::<#output>();));
        let check = quote_spanned! {output.span()=>
            const _: () = #at::check_return(__HEARS, __GIVES, #asynchronous);
        };
        checks.extend(check);
    }
    checks
}
