//! Reads the arguments of an attribute: after one that cannot be read, it goes on behind the next comma.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Ident, LitStr, Path, Result, Token, token};

use crate::errors::{Errors, list, nearest};

/// Calls `one` for each argument of `tokens`.
pub(crate) fn arguments(
    tokens: TokenStream,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> Result<()>,
) {
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = one(input, errors) {
                errors.push(error);
                skip_to_comma(input)?;
            } else if !input.is_empty() && !input.peek(Token![,]) {
                errors.at(input.span(), "expected `,` between arguments");
                skip_to_comma(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let result = read.parse2(tokens);
    errors.take(result);
}

fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// How an argument that starts with a word goes on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// `key`
    Bare,
    /// `key = ..`
    Value,
    /// `key(..)`
    List,
}

/// The key that the next argument starts with, if it has the shape of one. Nothing is consumed.
pub(crate) fn peek_key(input: ParseStream<'_>) -> Option<(Ident, Shape)> {
    let ahead = input.fork();
    let key = ahead.call(Ident::parse_any).ok()?;
    if ahead.is_empty() || ahead.peek(Token![,]) {
        Some((key, Shape::Bare))
    } else if ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]) {
        Some((key, Shape::Value))
    } else if ahead.peek(token::Paren) {
        Some((key, Shape::List))
    } else {
        None
    }
}

/// Reads `key = value`; `expected` says what the value has to be.
pub(crate) fn value<T: Parse>(input: ParseStream<'_>, expected: &str) -> Result<T> {
    let key = input.call(Ident::parse_any)?;
    if !input.peek(Token![=]) {
        return Err(Error::new(key.span(), format!("expected {expected}")));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(key.span(), format!("expected {expected}")));
    }
    // A value that syn can start to read but not end, like a half typed path, keeps the words for the whole.
    input
        .parse()
        .map_err(|error| Error::new(error.span(), format!("expected {expected}")))
}

/// A check of a literal's text, from `topic`.
pub(crate) type Check = fn(&str) -> std::result::Result<(), String>;

/// Puts what is wrong with the text of a literal at the literal.
pub(crate) fn checked(literal: LitStr, check: Check) -> Result<LitStr> {
    match check(&literal.value()) {
        Ok(()) => Ok(literal),
        Err(message) => Err(Error::new(literal.span(), message)),
    }
}

/// The keys met so far.
#[derive(Default)]
pub(crate) struct Seen(Vec<Ident>);

impl Seen {
    pub(crate) fn get(&self, key: &str) -> Option<&Ident> {
        self.0.iter().find(|seen| *seen == key)
    }

    /// Reports a key that was there before. Both places are marked, since a macro cannot add notes to an error.
    pub(crate) fn once(&mut self, key: Ident, errors: &mut Errors) {
        match self.0.iter().find(|first| **first == key) {
            Some(first) => {
                errors.at(key.span(), format!("`{key}` is given twice: remove one"));
                errors.at(first.span(), format!("`{key}` is given here first"));
            }
            None => self.0.push(key),
        }
    }
}

pub(crate) fn unknown(key: &Ident, known: &[&str]) -> Error {
    let message = match nearest(&key.to_string(), known) {
        Some(near) => format!("unknown key `{key}`, did you mean `{near}`?"),
        None => format!("unknown key `{key}`: expected {}", list(known)),
    };
    Error::new(key.span(), message)
}

/// The path under which the generated code finds the library.
#[derive(Clone)]
pub(crate) struct CratePath(Option<Path>);

impl CratePath {
    pub(crate) const DEFAULT: Self = Self(None);

    /// Reads `crate = ::path`.
    pub(crate) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let path: Path = value(input, "a path, like `crate = ::tidings`")?;
        let first = path
            .segments
            .first()
            .map(|segment| segment.ident.to_string());
        if path.leading_colon.is_some() || matches!(first.as_deref(), Some("crate" | "$crate")) {
            return Ok(Self(Some(path)));
        }
        let text = crate::text::of_type(&path);
        let message = format!(
            "`{text}` is not absolute: write `crate = ::{text}` or `crate = crate::{text}`"
        );
        Err(Error::new_spanned(path, message))
    }

    /// The path with the place of `span`, for calls whose place matters: the compiler joins the places of all tokens of a path.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let Some(path) = &self.0 else {
            return quote_spanned!(span=> ::tidings);
        };
        let place = |mut tree: TokenTree| {
            tree.set_span(tree.span().located_at(span));
            tree
        };
        path.to_token_stream().into_iter().map(place).collect()
    }

    /// The path of the hidden module, see [`Self::at`].
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        let path = self.at(span);
        quote_spanned!(span=> #path::__private)
    }

    pub(crate) fn private(&self) -> TokenStream {
        self.private_at(Span::call_site())
    }
}
