//! The code of a protocol.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::model::Listener;
use crate::args::CratePath;
use crate::text;

/// ```text
/// const _: () = {
///     impl ::tidings::transport::Protocol for Echo {
///         const __TABLE: T::Table<Self> = {
///             let __table = T::Table::new();
///             let __table = { .. };
///             __table
///         };
///         const __ROOM: Option<T::Room<Self>> = __ROOM;
///         type __Family = T::Family<__FAMILIES>;
///     }
///     const __FAMILIES: u8 = {
///         let __fits = T::Fits::new();
///         let __fits = T::Fits::and(__fits, T::heard::<DataReceived>().fit("DataReceived"));
///         let __fits = T::Fits::and(__fits, T::ask::<&Transport, _>().fit("&Transport"));
///         __fits.families()
///     };
///     const __ROOM: Option<T::Room<Echo>> = {
///         use T::NoRoom as _;
///         T::check_room(&<Echo as ::tidings::transport::Protocol>::__TABLE, T::RoomOf::<Echo>::ROOM)
///     };
///     const _: () = T::check_once(&[T::heard::<ConnectionMade>().kind()], T::heard::<DataReceived>().kind());
/// };
/// ```
///
/// `T` is `::tidings::__private::transport`.
pub(super) fn block(owner: &Type, krate: &CratePath, listeners: &[Listener]) -> TokenStream {
    let t = transport(krate, Span::call_site());
    let root = krate.at(Span::call_site());
    let table = local("__table");
    let mut number = 0;
    let entries = listeners.iter().map(|listener| {
        let entry = entry(owner, krate, listener, number);
        number += listener.params.len();
        let cfgs = &listener.cfgs;
        quote!(#(#cfgs)* let #table = #entry;)
    });
    let entries: Vec<_> = entries.collect();
    let families = families(krate, listeners);
    let checks = (1..listeners.len()).map(|place| check(krate, &listeners[..=place]));
    quote! {
        #[allow(deprecated)]
        const _: () = {
            #[automatically_derived]
            impl #root::transport::Protocol for #owner {
                const __TABLE: #t::Table<Self> = {
                    let #table = #t::Table::new();
                    #(#entries)*
                    #table
                };

                const __ROOM: ::core::option::Option<#t::Room<Self>> = __ROOM;

                type __Family = #t::Family<__FAMILIES>;
            }
            const __FAMILIES: u8 = #families;
            const __ROOM: ::core::option::Option<#t::Room<#owner>> = {
                #[allow(unused_imports)]
                use #t::NoRoom as _;
                #t::check_room(
                    &<#owner as #root::transport::Protocol>::__TABLE,
                    #t::RoomOf::<#owner>::ROOM,
                )
            };
            #(#checks)*
        };
    }
}

/// The connections that all events and parameters fit. If there are none, the error is shown at the first that does not fit those before it.
fn families(krate: &CratePath, listeners: &[Listener]) -> TokenStream {
    let t = transport(krate, Span::call_site());
    let fits = local("__fits");
    let steps = listeners.iter().map(|listener| {
        let (event, cfgs) = (&listener.event, &listener.cfgs);
        let (at, name) = (transport(krate, event.span()), text::of_type(event));
        let event =
            quote_spanned!(event.span()=> #at::Fits::and(#fits, #at::heard::<#event>().fit(#name)));
        let params = listener.params.iter().map(|param| {
            let (ty, own) = (&param.ty, &param.cfgs);
            let (at, name) = (transport(krate, ty.span()), text::of_type(ty));
            let param =
                quote_spanned!(ty.span()=> #at::Fits::and(#fits, #at::ask::<#ty, _>().fit(#name)));
            quote!(#(#cfgs)* #(#own)* let #fits = #param;)
        });
        quote!(#(#cfgs)* let #fits = #event; #(#params)*)
    });
    quote!({
        let #fits = #t::Fits::new();
        #(#steps)*
        #fits.families()
    })
}

/// That the last listener hears another event than those before it. The error is shown at its event.
fn check(krate: &CratePath, listeners: &[Listener]) -> TokenStream {
    let kinds = listeners.iter().map(|listener| {
        let (event, cfgs) = (&listener.event, &listener.cfgs);
        let at = transport(krate, event.span());
        (
            cfgs,
            quote_spanned!(event.span()=> #at::heard::<#event>().kind()),
        )
    });
    let mut kinds: Vec<_> = kinds.collect();
    let Some((cfgs, last)) = kinds.pop() else {
        return TokenStream::new();
    };
    let earlier = kinds.iter().map(|(cfgs, kind)| quote!(#(#cfgs)* #kind));
    let earlier = quote!(&[#(#earlier),*]);
    let span = listeners
        .last()
        .map_or_else(Span::call_site, |listener| listener.event.span());
    let at = transport(krate, span);
    let check = quote_spanned!(span=> const _: () = #at::check_once(#earlier, #last););
    quote!(#(#cfgs)* #check)
}

/// ```text
/// __table.on(
///     &T::heard::<DataReceived>(),
///     P::Registration::new(&<Echo>::data, concat!(module_path!(), "::", "Echo::data"), 10usize).docs(".."),
///     const { &[T::ask::<&Transport, _>().need(0usize, "t")] },
///     |__me, __o, __g| {
///         use T::AskFallback as _;
///         let __h = T::heard::<DataReceived>();
///         __h.returned::<Result<(), WriteError>>(<Echo>::data(__me, __h.event(__o), T::ask::<&Transport, _>().get(0usize, __g)))
///     },
/// )
/// ```
///
/// What stands twice has the place of the user's type both times: the compiler reports it once.
fn entry(owner: &Type, krate: &CratePath, listener: &Listener, number: usize) -> TokenStream {
    let [table, me, occurred, given, heard] = ["__table", "__me", "__o", "__g", "__h"].map(local);
    let (event, ident) = (&listener.event, &listener.ident);
    let span = event.span();
    let at = transport(krate, span);
    let hearing = quote_spanned!(span=> #at::heard::<#event>());
    let on = quote_spanned!(span=> .on);
    let registration = registration(owner, krate, listener);
    let asks = listener.params.iter().zip(number..).map(|(param, number)| {
        let (cfgs, ty, name) = (&param.cfgs, &param.ty, &param.name);
        let at = transport(krate, ty.span());
        let ask = quote_spanned!(ty.span()=> #at::ask::<#ty, _>());
        (cfgs, ask, number, name)
    });
    let asks: Vec<_> = asks.collect();
    let needs = asks
        .iter()
        .map(|(cfgs, ask, number, name)| quote!(#(#cfgs)* #ask.need(#number, #name)));
    let values = asks
        .iter()
        .map(|(cfgs, ask, number, _)| quote!(#(#cfgs)* #ask.get(#number, #given)));
    let path = quote_spanned!(ident.span()=> <#owner>::#ident);
    let (instance, me) = if listener.receiver {
        (quote!(#me), Some(quote!(#me,)))
    } else {
        (quote!(_), None)
    };
    let call = quote!(#path(#me #heard.event(#occurred) #(, #values)*));
    let returned = if let Some(output) = &listener.output {
        quote_spanned!(output.span()=> #heard.returned::<#output>)
    } else {
        quote!(#heard.returned::<()>)
    };
    let fallback = (!asks.is_empty()).then(|| {
        let t = transport(krate, Span::call_site());
        quote! {
            #[allow(unused_imports)]
            use #t::AskFallback as _;
        }
    });
    quote! {
        #table #on(
            &#hearing,
            #registration,
            const { &[#(#needs),*] },
            |#instance, #occurred, #given| {
                #fallback
                let #heard = #hearing;
                #returned(#call)
            },
        )
    }
}

fn registration(owner: &Type, krate: &CratePath, listener: &Listener) -> TokenStream {
    let ident = &listener.ident;
    let owner_name = match owner {
        Type::Path(owner) => (owner.path.segments.last()).map(text::of_type),
        owner => Some(text::of_type(owner)),
    };
    let name = format!("{}::{}", owner_name.unwrap_or_default(), ident.unraw());
    let length = name.len();
    // The call carries the place of the method's name, which it records.
    let new = krate.private_at(ident.span());
    let path = quote_spanned!(ident.span()=> <#owner>::#ident);
    let arguments = quote!(&#path, ::core::concat!(::core::module_path!(), "::", #name), #length);
    let docs = listener.docs.iter().map(|docs| quote!(.docs(#docs)));
    let docs: TokenStream = docs.collect();
    let new = quote_spanned!(ident.span()=> #new::Registration::new(#arguments));
    quote!(#new #docs)
}

fn transport(krate: &CratePath, span: Span) -> TokenStream {
    let private = krate.private_at(span);
    quote_spanned!(span=> #private::transport)
}

/// A name that user code can neither see nor shadow.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
