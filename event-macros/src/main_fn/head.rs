//! The signature of a program's `main`, and what it must not have.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Result, ReturnType, Signature, Token, Visibility};

use crate::attrs::{keyword, refuse_generics, split_body};
use crate::errors::Errors;

pub(super) struct Head(Signature);

pub(super) fn parse(item: TokenStream) -> Result<Head> {
    let (item, _body) = split_body(item);
    let word = keyword(&item);
    let span = word.as_ref().map_or_else(Span::call_site, Spanned::span);
    match word.map(|word| word.to_string()).as_deref() {
        Some("fn" | "async" | "unsafe" | "extern") => head.parse2(item),
        // A constant starts with the same word as a `const fn`.
        Some("const") => head.parse2(item).map_err(|_| not_main(span)),
        _ => Err(not_main(span)),
    }
}

fn not_main(span: Span) -> Error {
    Error::new(span, "`#[main]` goes on the program's `fn main`")
}

fn head(input: ParseStream<'_>) -> Result<Head> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let signature = input.parse()?;
    // Only a function without a body has more here, which is for the compiler to report.
    input.parse::<Option<Token![;]>>()?;
    Ok(Head(signature))
}

impl Head {
    pub(super) fn is_main(&self) -> bool {
        self.0.ident == "main"
    }

    pub(super) fn is_async(&self) -> bool {
        self.0.asyncness.is_some()
    }

    /// Where the return type stands, if there is one.
    pub(super) fn output(&self) -> Span {
        match &self.0.output {
            ReturnType::Default => Span::call_site(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }

    /// Reports everything that a `main` cannot have.
    pub(super) fn check(&self, errors: &mut Errors) {
        let signature = &self.0;
        if !self.is_main() {
            let message = format!(
                "`#[main]` goes on the program's `fn main`: `{}` is called by nobody",
                signature.ident
            );
            errors.at(signature.ident.span(), message);
        }
        if let Some(input) = signature.inputs.first() {
            errors.at(
                input.span(),
                "`main` takes no parameters: read arguments with `std::env::args()`, and give listeners their state with the key `bus`",
            );
        }
        refuse_generics(&signature.generics, "`main`", errors);
        if let Some(word) = &signature.constness {
            errors.at(word.span(), "`main` cannot be a `const fn`: remove `const`");
        }
        if let syn::Safety::Unsafe(word) = &signature.safety {
            errors.at(word.span(), "`main` cannot be `unsafe`: remove the word");
        }
        if let Some(abi) = &signature.abi {
            errors.at(abi.span(), "`main` has no ABI of its own: remove `extern`");
        }
    }
}
