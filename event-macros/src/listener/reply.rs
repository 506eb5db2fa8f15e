//! The listener that answers a request.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::keys::Args;
use super::model::Listener;
use crate::errors::Errors;

/// Refuses what cannot be waited for.
pub(super) fn check(args: &Args, errors: &mut Errors) {
    let Some(word) = &args.reply else { return };
    let timed = args.delivery.timed().map(ToString::to_string);
    let message = match timed.as_deref() {
        Some("every") => "a tick asks for nothing: remove `reply`, or `every`".to_owned(),
        Some(timed) => format!(
            "somebody waits for an answer, and `{timed}` delivers later: remove `{timed}`, or `reply`"
        ),
        None if args.delivery.queue().is_some() => {
            "somebody waits for an answer, and a queue delivers later: remove `queue`, or `reply`"
                .to_owned()
        }
        None => return,
    };
    errors.at(word.span(), message);
}

/// ```text
/// const _: () = P::check_request::<GetQuote>();
/// const _: fn() = || {
///     use P::AskedFallback as _;
///     P::Asked::<GetQuote>::new().answered_with::<Quote>();
/// };
/// ```
pub(super) fn checks(listener: &Listener, word: &Ident) -> TokenStream {
    let p = listener.krate.private();
    let event = &listener.event;
    let at = listener.krate.private_at(word.span());
    let request = quote_spanned!(word.span()=> #at::check_request::<#event>());
    // Without a return type the function's name is all that there is to point at.
    let nothing = quote_spanned!(listener.ident.span()=> ());
    let (span, answer) = match &listener.output {
        Some(output) => (output.span(), quote!(#output)),
        None => (listener.ident.span(), nothing),
    };
    let at = listener.krate.private_at(span);
    let answered = quote_spanned!(span=> #at::Asked::<#event>::new().answered_with::<#answer>(););
    quote! {
        const _: () = #request;
        const _: fn() = || {
            #[allow(unused_imports)]
            use #p::AskedFallback as _;
            #answered
        };
    }
}

fn local() -> Ident {
    Ident::new("__r", Span::mixed_site())
}

/// ```text
/// let __r = P::Asked::<GetQuote>::new().take();
/// ```
///
/// Before the listener is called, and on the emitting thread: there is who asks.
pub(super) fn asked(listener: &Listener) -> Option<TokenStream> {
    listener.args.reply.as_ref()?;
    let (p, event, reply) = (listener.krate.private(), &listener.event, local());
    Some(quote!(let #reply = #p::Asked::<#event>::new().take();))
}

/// ```text
/// P::Answer::<GetQuote, _>::new(quote(__e)).step(__r)
/// ```
pub(super) fn step(listener: &Listener, value: &TokenStream) -> TokenStream {
    let (p, event, reply) = (listener.krate.private(), &listener.event, local());
    quote!(#p::Answer::<#event, _>::new(#value).step(#reply))
}
