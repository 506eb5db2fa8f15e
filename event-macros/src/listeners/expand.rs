//! The code of an impl block's listeners.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Type;

use crate::args::CratePath;
use crate::listener::expand::{checks, function, registration};
use crate::listener::installer::installer;
use crate::listener::model::Listener;

/// Associated functions are registered like functions. Methods wait in a list for an instance:
///
/// ```text
/// impl Listeners for Mailer {
///     fn __listeners() -> &'static [P::Method<Self>] {
///         const { &[{ const __HEARS: P::Hears = ..; P::Method::new(P::Registration::new(..).hears(__HEARS), |__b, __this| { .. }) }] }
///     }
/// }
/// P::submit! { P::LinkedMethods::of::<Mailer>() }
/// ```
pub(crate) fn block(owner: &Type, krate: &CratePath, listeners: &[Listener]) -> TokenStream {
    let (methods, functions): (Vec<&Listener>, Vec<&Listener>) =
        listeners.iter().partition(|listener| listener.receiver);
    let functions = functions.into_iter().map(function);
    let instance = (!methods.is_empty()).then(|| {
        let p = krate.private();
        let krate = krate.at(Span::call_site());
        let entries = methods.iter().map(|listener| method(listener));
        quote! {
            #[allow(deprecated)]
            const _: () = {
                #[automatically_derived]
                impl #krate::Listeners for #owner {
                    fn __listeners() -> &'static [#p::Method<Self>] {
                        const { &[#(#entries),*] }
                    }
                }
                #p::submit! { #p::LinkedMethods::of::<#owner>() }
            };
        }
    });
    quote!(#(#functions)* #instance)
}

fn method(listener: &Listener) -> TokenStream {
    let p = listener.krate.private();
    let cfgs = &listener.cfgs;
    let registration = registration(listener);
    let installer = installer(listener);
    let checks = checks(listener);
    quote! {
        #(#cfgs)*
        {
            #checks
            #p::Method::new(#registration.hears(__HEARS), #installer)
        }
    }
}
