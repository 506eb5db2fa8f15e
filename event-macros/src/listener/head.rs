//! The parts of a function that the macro reads: attributes and signature, never the body.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Result, Signature, Token, Visibility};

use crate::attrs::{keyword, split_body};

pub(crate) struct Head {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) signature: Signature,
}

pub(crate) fn parse(item: TokenStream) -> Result<Head> {
    let (item, _body) = split_body(item);
    let Some(keyword) = keyword(&item) else {
        return Err(Error::new(
            Span::call_site(),
            "`#[listener]` goes on a function",
        ));
    };
    let message = match keyword.to_string().as_str() {
        "fn" | "async" | "unsafe" | "extern" => return head.parse2(item),
        // A constant starts with the same word as a `const fn`.
        "const" => match head.parse2(item) {
            Ok(head) => return Ok(head),
            Err(_) => "`#[listener]` goes on a function",
        },
        "struct" | "enum" | "union" => "`#[listener]` goes on a function: a type takes `#[event]`",
        "impl" => "`#[listener]` goes on the methods: annotate the impl block with `#[listeners]`",
        _ => "`#[listener]` goes on a function",
    };
    Err(Error::new(keyword.span(), message))
}

fn head(input: ParseStream<'_>) -> Result<Head> {
    let attrs = input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let signature = input.parse()?;
    // Only a function without a body has more here, which is for the compiler to report.
    input.parse::<Option<Token![;]>>()?;
    Ok(Head { attrs, signature })
}
