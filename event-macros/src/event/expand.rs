//! The code of a checked event.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, parse_quote};

use super::model::{Event, Field};

/// ```text
/// const _: () = {
///     static __TIDINGS_INFO: P::EventInfo = P::EventInfo::new("new_order", 1u32, concat!(module_path!(), "::", "NewOrder"))
///         .with_docs("..").with_fields(const { &[P::Field::new("order_id", "u64")] }).with_stoppable().with_unheard(P::Unheard::Warn);
///     static __TIDINGS_SLOT: P::Slot<NewOrder> = P::Slot::new();
///     impl Event for NewOrder { .. }
///     P::submit! { P::EventRegistration::new(&__TIDINGS_INFO, Some(<NewOrder as Event>::__ops)) }
/// };
/// ```
///
/// With `submit` off, for an event that has errors, only the implementation stays.
pub(crate) fn event(event: &Event, submit: bool) -> TokenStream {
    let p = event.krate.private();
    let info = info(event);
    let ident = &event.ident;
    let slot = (!event.generic)
        .then(|| quote!(static __TIDINGS_SLOT: #p::Slot<#ident> = #p::Slot::new();));
    let implementation = implementation(event);
    let request = request(event);
    let submit = submit.then(|| {
        let krate = event.krate.at(proc_macro2::Span::call_site());
        let ops = if event.generic {
            quote!(::core::option::Option::None)
        } else {
            quote!(::core::option::Option::Some(<#ident as #krate::Event>::__ops))
        };
        quote!(#p::submit! { #p::EventRegistration::new(&__TIDINGS_INFO, #ops) })
    });
    quote! {
        #[allow(deprecated)]
        const _: () = {
            static __TIDINGS_INFO: #p::EventInfo = #info;
            #slot
            #implementation
            #request
            #submit
        };
    }
}

/// The call carries the place of the type's name, which it records.
fn info(event: &Event) -> TokenStream {
    let p = event.krate.private();
    let Event {
        topic,
        version,
        name,
        ..
    } = event;
    let span = event.ident.span();
    let new = event.krate.private_at(span);
    let path = quote!(::core::concat!(::core::module_path!(), "::", #name));
    let mut info = quote_spanned!(span=> #new::EventInfo::new(#topic, #version, #path));
    if let Some(docs) = &event.docs {
        info.extend(quote!(.with_docs(#docs)));
    }
    if !event.fields.is_empty() {
        let fields = event
            .fields
            .iter()
            .map(|Field { cfgs, name, ty }| quote!(#(#cfgs)* #p::Field::new(#name, #ty)));
        info.extend(quote!(.with_fields(const { &[#(#fields),*] })));
    }
    if event.stoppable {
        info.extend(quote!(.with_stoppable()));
    }
    if let Some(unheard) = &event.unheard {
        info.extend(quote!(.with_unheard(#p::Unheard::#unheard)));
    }
    if let Some(reply) = &event.reply {
        let text = crate::text::of_type(reply);
        info.extend(quote!(.with_reply(#text)));
    }
    if let Some(unanswered) = &event.unanswered {
        info.extend(quote!(.with_unanswered(#p::Unanswered::#unanswered)));
    }
    if event.generic {
        info.extend(quote!(.with_generic()));
    }
    info
}

/// ```text
/// impl Event for NewOrder {
///     const TOPIC: &'static str = "new_order";
///     const VERSION: u32 = 1u32;
///     const __STOPPABLE: bool = false;
///     fn __slot() -> Option<&'static P::Slot<Self>> { Some(&__TIDINGS_SLOT) }
///     fn __info() -> &'static P::EventInfo { &__TIDINGS_INFO }
///     fn __ops() -> &'static P::EventOps { const { &P::EventOps::of::<Self>() } }
///     fn __share() -> Option<P::Sharing<Self>> { use P::ShareFallback as _; P::Probe::<Self>::new().share() }
/// }
/// ```
fn implementation(event: &Event) -> TokenStream {
    let p = event.krate.private();
    let krate = event.krate.at(proc_macro2::Span::call_site());
    let Event {
        ident,
        topic,
        version,
        stoppable,
        ..
    } = event;
    let generics = with_static_bounds(&event.generics);
    let (params, args, clause) = generics.split_for_impl();
    let slot = if event.generic {
        quote!(::core::option::Option::None)
    } else {
        quote!(::core::option::Option::Some(&__TIDINGS_SLOT))
    };
    let json = event.serde.map(|span| {
        let p = event.krate.private_at(span);
        quote_spanned!(span=> .json(#p::json_codec!(#ident)))
    });
    quote! {
        #[automatically_derived]
        impl #params #krate::Event for #ident #args #clause {
            const TOPIC: &'static ::core::primitive::str = #topic;
            const VERSION: ::core::primitive::u32 = #version;
            const __STOPPABLE: ::core::primitive::bool = #stoppable;
            fn __slot() -> ::core::option::Option<&'static #p::Slot<Self>> {
                #slot
            }
            fn __info() -> &'static #p::EventInfo {
                &__TIDINGS_INFO
            }
            fn __ops() -> &'static #p::EventOps {
                const { &#p::EventOps::of::<Self>()#json }
            }
            fn __share() -> ::core::option::Option<#p::Sharing<Self>> {
                #[allow(unused_imports)]
                use #p::ShareFallback as _;
                #p::Probe::<Self>::new().share()
            }
        }
    }
}

/// ```text
/// impl Request for GetQuote { type Reply = Quote; }
/// ```
fn request(event: &Event) -> Option<TokenStream> {
    let reply = event.reply.as_ref()?;
    let krate = event.krate.at(reply.span());
    let generics = with_static_bounds(&event.generics);
    let (params, args, clause) = generics.split_for_impl();
    let ident = &event.ident;
    Some(quote_spanned! {reply.span()=>
        #[automatically_derived]
        impl #params #krate::Request for #ident #args #clause {
            type Reply = #reply;
        }
    })
}

/// `Event` asks for `'static`, which a type parameter has to promise.
fn with_static_bounds(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let params: Vec<_> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    if !params.is_empty() {
        let clause = generics.make_where_clause();
        clause.predicates.extend(
            params
                .iter()
                .map(|param| -> syn::WherePredicate { parse_quote!(#param: 'static) }),
        );
    }
    generics
}
