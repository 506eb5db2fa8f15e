//! The closure that puts a listener on a bus.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Listener;

/// The names of the generated code, which user code can neither see nor shadow.
struct Locals {
    bus: Ident,
    this: Ident,
    event: Ident,
    delivery: Ident,
    when: Ident,
    held: Ident,
}

impl Locals {
    fn new() -> Self {
        let local = |name| Ident::new(name, Span::mixed_site());
        Self {
            bus: local("__b"),
            this: local("__this"),
            event: local("__e"),
            delivery: local("__d"),
            when: local("__when"),
            held: local("__h"),
        }
    }
}

/// ```text
/// |__b: &mut P::Installer<'_>| { __b.plain::<Placed>(charge); }
/// ```
///
/// A method listener's closure also takes `__this: &P::Arc<Mailer>`.
pub(crate) fn installer(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let Locals { bus, this, .. } = &Locals::new();
    let body = if listener.plain() {
        let (event, path) = (&listener.event, listener.path());
        quote!(#bus.plain::<#event>(#path);)
    } else {
        bound(listener)
    };
    match listener.owner.as_ref().filter(|_| listener.receiver) {
        Some(owner) => quote!(|#bus: &mut #p::Installer<'_>, #this: &#p::Arc<#owner>| { #body }),
        None => quote!(|#bus: &mut #p::Installer<'_>| { #body }),
    }
}

/// ```text
/// let __p1 = __b.param::<&Db>();
/// let __when = P::condition::<Placed, _>(|e| e.total > 100);
/// __b.sync::<Placed, _>(move |__e, __d| {
///     if !P::check(|| __when(__e)) { return P::Step::Skipped; }
///     P::step(charge(__e, <&Db as P::Param>::get(&__p1, __d)))
/// });
/// ```
fn bound(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let locals = Locals::new();
    let Locals {
        bus, this, when, ..
    } = &locals;
    let event = &listener.event;
    let params = listener
        .params
        .iter()
        .zip(param_names(listener))
        .map(|(param, name)| {
            let (cfgs, ty) = (&param.cfgs, &param.ty);
            quote!(#(#cfgs)* let #name = #bus.param::<#ty>();)
        });
    let this = listener
        .receiver
        .then(|| quote!(let #this = ::core::clone::Clone::clone(#this);));
    let condition = listener.args.when.as_ref().map(|condition| {
        let closure = &condition.closure;
        quote!(let #when = #p::condition::<#event, _>(#closure);)
    });
    let run = if listener.asynchronous.is_some() {
        future(listener, &locals)
    } else {
        sync(listener, &locals)
    };
    quote!(#this #(#params)* #condition #run)
}

fn sync(listener: &Listener, locals: &Locals) -> TokenStream {
    let p = listener.krate.private();
    let Locals {
        bus,
        event: e,
        delivery: d,
        when,
        ..
    } = locals;
    let event = &listener.event;
    let check = listener.args.when.is_some().then(|| {
        quote! {
            if !#p::check(|| #when(#e)) {
                return #p::Step::Skipped;
            }
        }
    });
    let step = step(listener, &call(listener, locals, &quote!(#e), &quote!(#d)));
    quote! {
        #bus.sync::<#event, _>(move |#e, #d| {
            #check
            #step
        });
    }
}

/// ```text
/// __b.future::<Placed, _, _>(move |__e, __d| {
///     if !P::check(|| __when(Deref::deref(&<Placed as P::Hear>::hold(&__e)))) { return None; }
///     let __p1 = Clone::clone(&__p1);
///     Some(async move {
///         let __h = <Placed as P::Hear>::hold(&__e);
///         P::step(charge(Deref::deref(&__h), <&Db as P::Param>::get(&__p1, &__d)).await)
///     })
/// });
/// ```
fn future(listener: &Listener, locals: &Locals) -> TokenStream {
    let p = listener.krate.private();
    let Locals {
        bus,
        this,
        event: e,
        delivery: d,
        when,
        held,
    } = locals;
    let event = &listener.event;
    let check = listener.args.when.is_some().then(|| {
        quote! {
            if !#p::check(|| #when(::core::ops::Deref::deref(&<#event as #p::Hear>::hold(&#e)))) {
                return ::core::option::Option::None;
            }
        }
    });
    let this = listener
        .receiver
        .then(|| quote!(let #this = ::core::clone::Clone::clone(&#this);));
    let params = listener
        .params
        .iter()
        .zip(param_names(listener))
        .map(|(param, name)| {
            let cfgs = &param.cfgs;
            quote!(#(#cfgs)* let #name = ::core::clone::Clone::clone(&#name);)
        });
    let call = call(
        listener,
        locals,
        &quote!(::core::ops::Deref::deref(&#held)),
        &quote!(&#d),
    );
    let step = step(listener, &quote!(#call.await));
    quote! {
        #bus.future::<#event, _, _>(move |#e, #d| {
            #check
            #this
            #(#params)*
            ::core::option::Option::Some(async move {
                let #held = <#event as #p::Hear>::hold(&#e);
                #step
            })
        });
    }
}

/// The call of the user's function.
fn call(
    listener: &Listener,
    locals: &Locals,
    event: &TokenStream,
    delivery: &TokenStream,
) -> TokenStream {
    let p = listener.krate.private();
    let path = listener.path();
    let this = &locals.this;
    let this = listener.receiver.then(|| quote!(&#this,));
    let params = listener
        .params
        .iter()
        .zip(param_names(listener))
        .map(|(param, name)| {
            let (cfgs, ty) = (&param.cfgs, &param.ty);
            quote!(#(#cfgs)* <#ty as #p::Param>::get(&#name, #delivery))
        });
    quote!(#path(#this #event #(, #params)*))
}

/// The error about a type that a listener cannot return belongs to the return type.
fn step(listener: &Listener, value: &TokenStream) -> TokenStream {
    let span = listener
        .output
        .as_ref()
        .map_or_else(Span::call_site, Spanned::span);
    let p = listener.krate.private_at(span);
    let step = quote_spanned!(span=> #p::step);
    quote!(#step(#value))
}

fn param_names(listener: &Listener) -> impl Iterator<Item = Ident> + use<> {
    (1..=listener.params.len()).map(|index| format_ident!("__p{index}", span = Span::mixed_site()))
}
