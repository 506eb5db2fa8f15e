//! The closure that describes a listener and puts it on a bus.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::expand::registration;
use super::model::Listener;
use super::reply;

/// The names of the generated code, which user code can neither see nor shadow.
struct Locals {
    bus: Ident,
    this: Ident,
    event: Ident,
    delivery: Ident,
    when: Ident,
    held: Ident,
    views: Ident,
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
            views: local("__v"),
        }
    }
}

/// ```text
/// |__b: &mut P::Installer<'_>| {
///     use P::OnFallback as _;
///     P::On::<Placed>::new().plain(__b, P::Registration::new(..), charge);
/// }
/// |__b: &mut P::Installer<'_>| {
///     use P::{OnFallback as _, OutcomeFallback as _};
///     if P::On::<Placed>::new().accepted(__b, P::Registration::new(..)) { .. }
/// }
/// ```
///
/// The fallbacks keep a wrong type from being reported again here, see the core's `typed`. A method listener's closure also takes `__this: &P::Arc<Mailer>`.
pub(crate) fn installer(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let Locals { bus, this, .. } = &Locals::new();
    let event = &listener.event;
    let body = if listener.plain() {
        let (path, registration) = (listener.path(), registration(listener));
        quote!(#p::On::<#event>::new().plain(#bus, #registration, #path);)
    } else if listener.receiver {
        bound(listener)
    } else {
        let (bound, registration) = (bound(listener), registration(listener));
        quote!(if #p::On::<#event>::new().accepted(#bus, #registration) { #bound })
    };
    let fallbacks = fallbacks(listener);
    let owner = listener.owner.as_ref().filter(|_| listener.receiver);
    let instance = owner.map(|owner| quote!(, #this: &#p::Arc<#owner>));
    quote! {
        |#bus: &mut #p::Installer<'_> #instance| {
            #[allow(unused_imports)]
            use #fallbacks;
            #body
        }
    }
}

/// Those that the closure needs: the compiler takes its time over every import.
fn fallbacks(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    if listener.plain() {
        return quote!(#p::OnFallback as _);
    }
    let ask = (!listener.params.is_empty()).then(|| quote!(, AskFallback as _));
    let test = listener
        .args
        .when
        .as_ref()
        .map(|_| quote!(, TestFallback as _));
    if listener.args.reply.is_some() {
        return quote!(#p::{OnFallback as _, AskedFallback as _, AnswerFallback as _ #ask #test});
    }
    quote!(#p::{OnFallback as _, OutcomeFallback as _ #ask #test})
}

/// ```text
/// let __p1 = P::Ask::<&Db>::new().bind(__b);
/// let __when = P::On::<Placed>::new().condition(|e| e.total > 100);
/// P::On::<Placed>::new().sync(__b, move |__e, __d| {
///     if !P::check(|| P::Test::<Placed, _>::new(&__when).holds(__e)) { return P::Step::Skipped; }
///     P::Outcome(charge(__e, P::Ask::<&Db>::new().get(&__p1, __d))).step()
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
            quote!(#(#cfgs)* let #name = #p::Ask::<#ty>::new().bind(#bus);)
        });
    let this = listener
        .receiver
        .then(|| quote!(let #this = ::core::clone::Clone::clone(#this);));
    let condition = listener.args.when.as_ref().map(|condition| {
        let closure = &condition.closure;
        let span =
            (closure.clone().into_iter().next()).map_or_else(Span::call_site, |tree| tree.span());
        let condition = quote_spanned!(span=> .condition(#closure));
        quote!(let #when = #p::On::<#event>::new()#condition;)
    });
    let run = if let Some(word) = listener.args.delivery.timed() {
        let queue = queue(listener, &locals);
        let at = listener.krate.private_at(word.span());
        quote_spanned!(word.span()=> #at::timed! { #queue })
    } else if let Some(word) = listener.args.delivery.queue() {
        let queue = queue(listener, &locals);
        // Without the feature that brings queues this is the error, at the word.
        let at = listener.krate.private_at(word.span());
        quote_spanned!(word.span()=> #at::queued! { #queue })
    } else if listener.asynchronous.is_some() {
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
            if !#p::check(|| #p::Test::<#event, _>::new(&#when).holds(#e)) {
                return #p::Step::Skipped;
            }
        }
    });
    let asked = reply::asked(listener);
    let step = step(listener, &call(listener, locals, &quote!(#e), &quote!(#d)));
    quote! {
        #p::On::<#event>::new().sync(#bus, move |#e, #d| {
            #check
            #asked
            #step
        });
    }
}

/// ```text
/// P::On::<Placed>::new().future(__b, move |__e, __d| {
///     if !P::check(|| P::Test::<Placed, _>::new(&__when).holds(Deref::deref(&P::On::<Placed>::new().hold(&__e)))) { return None; }
///     let __d = Clone::clone(__d);
///     let __p1 = Clone::clone(&__p1);
///     Some(async move {
///         let __h = P::On::<Placed>::new().hold(&__e);
///         P::Outcome(charge(Deref::deref(&__h), P::Ask::<&Db>::new().get(&__p1, &__d)).await).step()
///     })
/// });
/// ```
fn future(listener: &Listener, locals: &Locals) -> TokenStream {
    let p = listener.krate.private();
    let Locals {
        bus,
        event: e,
        when,
        ..
    } = locals;
    let event = &listener.event;
    let check = listener.args.when.is_some().then(|| {
        quote! {
            if !#p::check(|| #p::Test::<#event, _>::new(&#when).holds(::core::ops::Deref::deref(&#p::On::<#event>::new().hold(&#e)))) {
                return ::core::option::Option::None;
            }
        }
    });
    let keep = keep_delivery(listener, locals);
    let deliver = deliver(listener, locals, &quote!(#check #keep));
    let span = async_span(listener);
    let install = quote_spanned!(span=> .future);
    quote!(#p::On::<#event>::new()#install(#bus, #deliver);)
}

/// ```text
/// use P::BehindFallback as _;
/// P::Behind::<Placed>::new()
///     .queue(false)
///     .when(move |__e| P::check(|| P::Test::<Placed, _>::new(&__when).holds(__e)))
///     .key(|e, __h| P::hash_key(&(e.customer), __h))
///     .install_now(__b, move |__e, __d| P::Outcome(charge(__e, P::Ask::<&Db>::new().get(&__p1, __d))).step());
/// ```
///
/// An async function has `.install` and a closure that gives a future, like that of `future`. With `batch` it is `.install_batch_now` or
/// `.install_batch`, and `__e` is a slice or a `Vec`. A timed listener has `.ticking(P::Tick::share)`, `.debounced()` or `.throttled()` behind
/// `.queue(..)`, and one that ticks does not give `__e` to its function.
fn queue(listener: &Listener, locals: &Locals) -> TokenStream {
    let p = listener.krate.private();
    let Locals {
        bus,
        event: e,
        delivery: d,
        when,
        ..
    } = locals;
    let event = &listener.event;
    let check = listener.args.when.is_some().then(
        || quote!(.when(move |#e| #p::check(|| #p::Test::<#event, _>::new(&#when).holds(#e)))),
    );
    let closures = listener.args.delivery.closures(&listener.krate);
    let timed = super::timed::call(listener);
    let asynchronous = listener.asynchronous.is_some();
    let batched = listener.args.delivery.batched();
    let span = async_span(listener);
    let install = match (asynchronous, batched) {
        (true, true) => quote_spanned!(span=> .install_batch),
        (true, false) => quote_spanned!(span=> .install),
        (false, true) => quote_spanned!(span=> .install_batch_now),
        (false, false) => quote_spanned!(span=> .install_now),
    };
    let deliver = if asynchronous {
        deliver(listener, locals, &TokenStream::new())
    } else {
        let step = step(listener, &call(listener, locals, &quote!(#e), &quote!(#d)));
        quote!(move |#e, #d| #step)
    };
    quote! {
        use #p::BehindFallback as _;
        #p::Behind::<#event>::new().queue(#asynchronous) #timed #check #closures #install(#bus, #deliver);
    }
}

/// A future that is not `Send` is shown at the function's `async`.
fn async_span(listener: &Listener) -> Span {
    (listener.asynchronous).map_or_else(Span::call_site, |token| token.span)
}

/// What the future keeps of a delivery that is lent to it: nothing, unless a parameter asks for it.
fn keep_delivery(listener: &Listener, locals: &Locals) -> Option<TokenStream> {
    let d = &locals.delivery;
    let uncertain = listener.params.iter().all(|param| !param.cfgs.is_empty());
    let unused = uncertain.then(|| quote!(#[allow(unused_variables)]));
    (!listener.params.is_empty()).then(|| quote!(#unused let #d = ::core::clone::Clone::clone(#d);))
}

/// The closure that makes the future of one call, behind what comes before it.
fn deliver(listener: &Listener, locals: &Locals, before: &TokenStream) -> TokenStream {
    let p = listener.krate.private();
    let Locals {
        this,
        event: e,
        delivery: d,
        held,
        views,
        ..
    } = locals;
    let event = &listener.event;
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
    let (hold, given) = if listener.ticks() {
        (TokenStream::new(), TokenStream::new())
    } else if listener.args.delivery.batched() {
        let hold = quote! {
            let #held = #p::On::<#event>::new().hold_all(&#e);
            let #views = #p::On::<#event>::new().views(&#held);
        };
        (hold, quote!(&#views))
    } else {
        let hold = quote!(let #held = #p::On::<#event>::new().hold(&#e););
        (hold, quote!(::core::ops::Deref::deref(&#held)))
    };
    let call = call(listener, locals, &given, &quote!(&#d));
    let wait = listener.asynchronous.map(|_| quote!(.await));
    let step = step(listener, &quote!(#call #wait));
    let future = quote_spanned! {async_span(listener)=>
        async move {
            #hold
            #step
        }
    };
    let asked = reply::asked(listener);
    quote! {
        move |#e, #d| {
            #before
            #asked
            #this
            #(#params)*
            ::core::option::Option::Some(#future)
        }
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
    let this = listener.receiver.then(|| quote!(&#this));
    let event = (!listener.ticks()).then(|| event.clone());
    let params = listener
        .params
        .iter()
        .zip(param_names(listener))
        .map(|(param, name)| {
            let (cfgs, ty) = (&param.cfgs, &param.ty);
            quote!(#(#cfgs)* #p::Ask::<#ty>::new().get(&#name, #delivery))
        });
    let arguments = this.into_iter().chain(event).chain(params);
    quote!(#path(#(#arguments),*))
}

fn step(listener: &Listener, value: &TokenStream) -> TokenStream {
    let p = listener.krate.private();
    if listener.args.reply.is_some() {
        return reply::step(listener, value);
    }
    quote!(#p::Outcome(#value).step())
}

fn param_names(listener: &Listener) -> impl Iterator<Item = Ident> + use<> {
    (1..=listener.params.len()).map(|index| format_ident!("__p{index}", span = Span::mixed_site()))
}
