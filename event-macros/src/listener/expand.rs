//! The code of a checked listener.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::installer::installer;
use super::keys::{Selector, Side, Target};
use super::model::Listener;

/// ```text
/// const _: () = {
///     P::submit! { { P::assert_hears::<Placed>(); P::Registration::new::<Placed>(.., |__b| { .. }).docs("..") } }
///     const _: () = { P::assert_hears::<Placed>(); P::check_selectors::<Placed>(0usize) };
/// };
/// ```
pub(crate) fn function(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let registration = registration(listener, &installer(listener));
    let checks = checks(listener);
    let cfgs = &listener.cfgs;
    quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            #p::submit! { #registration }
            #checks
        };
    }
}

/// ```text
/// P::Registration::new::<Placed>(
///     P::FnKey::of(&charge), "billing.charge", "charge", module_path!(), |__b: &mut P::Installer<'_>| { .. },
/// )
/// .selectors(const { &[P::Selector::Pattern("orders.*"), P::Selector::Type(<Shipped as Event>::__info)] })
/// .returns::<Result<Paid, ChargeError>>()
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
    let (event, path, name) = (&listener.event, listener.path(), listener.name());
    let default_id = || quote!(::core::concat!(::core::module_path!(), "::", #name));
    let id = (listener.args.id.as_ref()).map_or_else(default_id, ToTokens::to_token_stream);
    // The call carries the place of the function's name, which it records.
    let span = listener.ident.span();
    let new = listener.krate.private_at(span);
    let arguments = quote!(#p::FnKey::of(&#path), #id, #name, ::core::module_path!(), #installer);
    let mut registration = quote_spanned!(span=> #new::Registration::new::<#event>(#arguments));
    registration.extend(signature_calls(listener));
    registration.extend(key_calls(listener));
    let hears = hears(listener);
    let hears_async = listener.asynchronous.map(|_| {
        let p = listener.krate.private_at(event.span());
        quote_spanned!(event.span()=> #p::assert_hears_async::<#event>();)
    });
    let returns = returns(listener);
    quote!({ #hears #hears_async #returns #registration })
}

/// Asks whether the first parameter refers to an event. Every body of generated code asks this first, at the same token and in the
/// same words, since the compiler shows equal errors once.
fn hears(listener: &Listener) -> TokenStream {
    let event = &listener.event;
    let p = listener.krate.private_at(event.span());
    quote_spanned!(event.span()=> #p::assert_hears::<#event>();)
}

/// Asks whether the return type is one that a listener can have, like [`hears`].
fn returns(listener: &Listener) -> Option<TokenStream> {
    let output = listener.output.as_ref()?;
    let p = listener.krate.private_at(output.span());
    Some(quote_spanned!(output.span()=> let _ = #p::step::<#output>;))
}

/// What the signature and the doc comment say.
fn signature_calls(listener: &Listener) -> TokenStream {
    let mut calls = TokenStream::new();
    if let Some(output) = &listener.output {
        calls.extend(quote_spanned!(output.span()=> .returns::<#output>()));
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
        let selectors = args.selectors.iter().map(|selector| match selector {
            Selector::Pattern(pattern) => quote!(#p::Selector::Pattern(#pattern)),
            Selector::Type(ty) => {
                let info = info(listener, ty);
                quote!(#p::Selector::Type(#info))
            }
        });
        calls.extend(quote!(.selectors(const { &[#(#selectors),*] })));
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
/// const _: () = { P::assert_hears::<Placed>(); P::check_pattern::<Placed>("orders.*") };
/// const _: () = { P::assert_hears::<Placed>(); let _ = <Shipped as Event>::__info; P::check_type::<Placed, Shipped>() };
/// const _: () = { P::assert_hears::<Placed>(); P::check_selectors::<Placed>(2usize) };
/// const _: () = { P::assert_hears::<Placed>(); let _ = P::step::<Paid>; P::check_return::<Placed, Paid, false>() };
/// ```
///
/// Each stands at the token that would have to change: that is where the compiler shows a constant that fails.
pub(crate) fn checks(listener: &Listener) -> TokenStream {
    let event = &listener.event;
    let hears = hears(listener);
    let mut checks = TokenStream::new();
    for selector in &listener.args.selectors {
        let span = selector.span();
        let p = listener.krate.private_at(span);
        checks.extend(match selector {
            Selector::Pattern(pattern) => {
                quote_spanned!(span=> const _: () = { #hears #p::check_pattern::<#event>(#pattern) };)
            }
            Selector::Type(ty) => {
                let info = info(listener, ty);
                quote_spanned!(span=> const _: () = { #hears let _ = #info; #p::check_type::<#event, #ty>() };)
            }
        });
    }
    let span = event.span();
    let p = listener.krate.private_at(span);
    let selectors = listener.args.selectors.len();
    checks.extend(
        quote_spanned!(span=> const _: () = { #hears #p::check_selectors::<#event>(#selectors) };),
    );
    if let Some(output) = &listener.output {
        let span = output.span();
        let p = listener.krate.private_at(span);
        let returns = returns(listener);
        let asynchronous = listener.asynchronous.is_some();
        let check = quote!(#p::check_return::<#event, #output, #asynchronous>);
        checks.extend(quote_spanned!(span=> const _: () = { #hears #returns #check() };));
    }
    checks
}
