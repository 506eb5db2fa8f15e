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
///
/// What depends on the event's type stands at that type: the compiler shows one error for all that stands at one token.
pub(crate) fn installer(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let Locals { bus, this, .. } = &Locals::new();
    let body = if listener.plain() {
        let (event, path) = (&listener.event, listener.path());
        quote_spanned!(event.span()=> #bus.plain::<#event>(#path);)
    } else {
        bound(listener)
    };
    let owner = listener.owner.as_ref().filter(|_| listener.receiver);
    let instance = owner.map(|owner| quote!(, #this: &#p::Arc<#owner>));
    quote!(|#bus: &mut #p::Installer<'_> #instance| { #body })
}

/// ```text
/// let __p1 = __b.param::<&Db>();
/// let __when = P::condition::<Placed, _>(|e| e.total > 100);
/// __b.sync::<Placed, _>(move |__e, __d| {
///     if !P::check(|| __when(__e)) { return P::Step::Skipped; }
///     P::step::<Result<(), Declined>>(charge(__e, <&Db as P::Param>::get(&__p1, __d)))
/// });
/// ```
fn bound(listener: &Listener) -> TokenStream {
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
            let bind = quote_spanned!(ty.span()=> #bus.param::<#ty>());
            quote!(#(#cfgs)* let #name = #bind;)
        });
    let this = listener
        .receiver
        .then(|| quote!(let #this = ::core::clone::Clone::clone(#this);));
    let condition = listener.args.when.as_ref().map(|condition| {
        let closure = &condition.closure;
        let p = listener.krate.private_at(event.span());
        quote_spanned!(event.span()=> let #when = #p::condition::<#event, _>(#closure);)
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
    let install = quote_spanned!(event.span()=> #bus.sync::<#event, _>);
    quote! {
        #install(move |#e, #d| {
            #check
            #step
        });
    }
}

/// ```text
/// P::Installer::future::<Placed, _, _>(__b, move |__e, __d| {
///     if !P::check(|| __when(Deref::deref(&<Placed as P::Hear>::hold(&__e)))) { return None; }
///     let __s1 = Clone::clone(&__p1);
///     Some(async move {
///         let __h = <Placed as P::Hear>::hold(&__e);
///         P::step::<Result<(), Declined>>(charge(Deref::deref(&__h), <&Db as P::Param>::get(&__s1, &__d)).await)
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
        .zip(param_names(listener).zip(shared_names(listener)))
        .map(|(param, (bound, shared))| {
            let cfgs = &param.cfgs;
            quote!(#(#cfgs)* let #shared = ::core::clone::Clone::clone(&#bound);)
        });
    let call = call(
        listener,
        locals,
        &quote!(::core::ops::Deref::deref(&#held)),
        &quote!(&#d),
    );
    let step = step(listener, &quote!(#call.await));
    // A future that is not `Send` is shown at the function's `async`, what it holds of the event at the event's type.
    let mut shared = e.clone();
    shared.set_span(e.span().located_at(event.span()));
    let span = listener
        .asynchronous
        .map_or_else(Span::call_site, |token| token.span);
    let future = quote_spanned! {span=>
        async move {
            let #held = <#event as #p::Hear>::hold(&#shared);
            #step
        }
    };
    let closure = quote_spanned! {span=>
        move |#e, #d| {
            #check
            #this
            #(#params)*
            ::core::option::Option::Some(#future)
        }
    };
    let p = listener.krate.private_at(span);
    quote_spanned!(span=> #p::Installer::future::<#event, _, _>(#bus, #closure);)
}

/// The call of the user's function.
fn call(
    listener: &Listener,
    locals: &Locals,
    event: &TokenStream,
    delivery: &TokenStream,
) -> TokenStream {
    let path = listener.path();
    let this = &locals.this;
    let this = listener.receiver.then(|| quote!(&#this,));
    let names: Vec<Ident> = if listener.asynchronous.is_some() {
        shared_names(listener).collect()
    } else {
        param_names(listener).collect()
    };
    let params = listener.params.iter().zip(names).map(|(param, name)| {
        let (cfgs, ty) = (&param.cfgs, &param.ty);
        let p = listener.krate.private_at(ty.span());
        let get = quote_spanned!(ty.span()=> <#ty as #p::Param>::get(&#name, #delivery));
        quote!(#(#cfgs)* #get)
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
    let output = listener.output.iter();
    let step = quote_spanned!(span=> #p::step #(::<#output>)*);
    quote!(#step(#value))
}

/// The names of the bound parameters, `__p1` and so on.
fn param_names(listener: &Listener) -> impl Iterator<Item = Ident> {
    numbered(listener, "__p")
}

/// The names of what one future keeps of the bound parameters, `__s1` and so on.
fn shared_names(listener: &Listener) -> impl Iterator<Item = Ident> {
    numbered(listener, "__s")
}

/// They stand at the types of the parameters, since the compiler asks for what is bound to a name at the name.
fn numbered(listener: &Listener, prefix: &str) -> impl Iterator<Item = Ident> {
    let types = listener.params.iter().map(|param| &param.ty);
    types
        .zip(1..)
        .map(move |(ty, index)| format_ident!("{prefix}{index}", span = ty.span()))
}
