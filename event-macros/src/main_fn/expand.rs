//! The code of a checked `main`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::head::Head;
use super::keys::Keys;

/// ```text
/// fn main() -> ExitCode {
///     async fn main() -> Result<(), Error> { .. }
///     P::program! { P::Program::new().grace(Duration::from_nanos(5000000000u64)).run(P::setup(setup), P::async_main(main)) }
/// }
/// ```
pub(super) fn main(keys: &Keys, head: &Head, item: &TokenStream) -> TokenStream {
    let p = keys.krate.private();
    let krate = keys.krate.at(Span::call_site());
    let grace = keys
        .grace
        .map(|nanos| quote!(.grace(::core::time::Duration::from_nanos(#nanos))));
    let setup = if let Some(path) = &keys.bus {
        let at = keys.krate.private_at(path.span());
        quote_spanned!(path.span()=> #at::setup(#path))
    } else {
        quote!(#p::setup(::core::convert::identity::<#krate::BusBuilder>))
    };
    let output = head.output();
    let at = keys.krate.private_at(output);
    let main = Ident::new("main", output);
    let (run, main) = if head.is_async() {
        (quote!(run), quote_spanned!(output=> #at::async_main(#main)))
    } else {
        (
            quote!(run_plain),
            quote_spanned!(output=> #at::plain_main(#main)),
        )
    };
    quote! {
        fn main() -> ::std::process::ExitCode {
            #item
            #p::program! { #p::Program::new()#grace.#run(#setup, #main) }
        }
    }
}

/// What is left of one with errors: a `main` that is async or has parameters would be one error more.
///
/// ```text
/// fn main() {
///     #[allow(dead_code)]
///     async fn main() { .. }
/// }
/// ```
pub(super) fn wrong_main(item: &TokenStream) -> TokenStream {
    quote! {
        fn main() {
            #[allow(dead_code)]
            #item
        }
    }
}
