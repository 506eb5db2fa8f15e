//! Values of the arguments that say how deliveries are carried.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprClosure, ExprLit, Ident, Lit, LitInt, LitStr, Result, UnOp};

use crate::args::CratePath;
use crate::duration;
use crate::errors::{list, nearest};

/// What has to be written for a key.
pub(crate) fn form(key: &str) -> &'static str {
    match key {
        "limit" => "a number of deliveries, like `limit = 64`",
        "overlap" => {
            "one of `parallel`, `serial`, `latest`, `drop` in quotes, like `overlap = \"serial\"`"
        }
        "queue" => "how many deliveries may wait, like `queue = 1024`",
        "workers" => "how many deliveries run at a time, like `workers = 4`",
        "batch" => "how many events one call is given at most, like `batch = 64`",
        "key" => "a closure of one argument, like `key = |e| e.customer`",
        "overflow" => {
            "one of `block`, `reject`, `drop_oldest`, `drop_newest` in quotes, like `overflow = \"reject\"`"
        }
        "retry" => "how often a delivery is tried again, like `retry = 3`",
        "backoff" => {
            "the shortest and the longest time before a retry, like `backoff = \"100ms..5s\"`"
        }
        "retry_if" => {
            "a closure of one argument, like `retry_if = |error| error.is::<std::io::Error>()`"
        }
        "every" => "a time in quotes, like `every = \"10s\"`",
        "missed" => "one of `skip`, `burst`, `delay` in quotes, like `missed = \"burst\"`",
        "debounce" => "a time in quotes, like `debounce = \"200ms\"`",
        "throttle" => "a time in quotes, like `throttle = \"1s\"`",
        _ => "a time in quotes, like `timeout = \"5s\"`",
    }
}

/// A number above zero: a literal, or what a constant expression of the user's gives.
pub(crate) enum Number {
    Literal(LitInt),
    Const(Ident, Box<Expr>),
}

/// A time above zero: text like `"5s"`, or what a constant expression of the type `Duration` gives.
pub(crate) enum Time {
    Nanos(u64),
    Const(Ident, Box<Expr>),
}

impl Number {
    /// Reads the value of `key`, of the integer type `ty`.
    pub(crate) fn new(key: &str, ty: &str, expr: Expr) -> Result<Self> {
        let expected = form(key);
        let wrong =
            |span, what: &str| Err(Error::new(span, format!("{what}: expected {expected}")));
        match ungrouped(expr) {
            Expr::Lit(ExprLit {
                lit: Lit::Int(literal),
                ..
            }) => match literal.base10_parse::<u32>() {
                Ok(0) => wrong(literal.span(), "zero is too few"),
                Ok(_) if literal.suffix().is_empty() || literal.suffix() == ty => {
                    Ok(Number::Literal(literal))
                }
                Ok(_) => Err(Error::new(
                    literal.span(),
                    format!("a `{key}` is a `{ty}`: remove `{}`", literal.suffix()),
                )),
                Err(_) => Err(Error::new(
                    literal.span(),
                    format!("the number is too large: write at most {}", u32::MAX),
                )),
            },
            Expr::Lit(literal) => wrong(literal.span(), "this is not a number"),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                wrong(unary.span(), "a negative number is too few")
            }
            expr => Ok(Number::Const(constant(key), Box::new(expr))),
        }
    }

    /// ```text
    /// const __LIMIT: usize = SIZE * 2;
    /// const _: () = P::check_number("limit", __LIMIT as usize);
    /// ```
    pub(crate) fn check(&self, key: &str, ty: &TokenStream, krate: &CratePath) -> TokenStream {
        let Number::Const(name, expr) = self else {
            return TokenStream::new();
        };
        let at = krate.private_at(expr.span());
        quote_spanned! {expr.span()=>
            const #name: ::core::primitive::#ty = #expr;
            const _: () = #at::check_number(#key, #name == 0);
        }
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        match self {
            Number::Literal(literal) => quote!(#literal),
            Number::Const(name, _) => quote!(#name),
        }
    }
}

impl Time {
    /// Reads the value of `key`; `part` names one of two.
    pub(crate) fn new(key: &str, part: &str, expr: Expr) -> Result<Self> {
        let expected = form(key);
        match ungrouped(expr) {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Ok(Time::Nanos(nanos(&text, &text.value())?)),
            Expr::Lit(literal) => Err(Error::new(
                literal.span(),
                format!("a time has a unit: expected {expected}"),
            )),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Err(Error::new(
                unary.span(),
                format!("a time is not negative: expected {expected}"),
            )),
            expr => Ok(Time::Const(
                constant(&format!("{key}{part}")),
                Box::new(expr),
            )),
        }
    }

    /// Reads `"100ms..5s"`, or two constant expressions in parentheses.
    pub(crate) fn range(key: &str, expr: Expr) -> Result<(Self, Self)> {
        let wrong = |span| Err(Error::new(span, format!("expected {}", form(key))));
        match ungrouped(expr) {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => {
                let whole = text.value();
                let Some((min, max)) = whole.split_once("..") else {
                    return wrong(text.span());
                };
                let (min, max) = (nanos(&text, min)?, nanos(&text, max)?);
                in_order(text.span(), (Time::Nanos(min), Time::Nanos(max)))
            }
            Expr::Tuple(tuple) if tuple.elems.len() == 2 => {
                let span = tuple.span();
                let mut times = tuple.elems.into_iter();
                match (times.next(), times.next()) {
                    (Some(min), Some(max)) => {
                        let at = min.span();
                        in_order(
                            at,
                            (Time::new(key, "_min", min)?, Time::new(key, "_max", max)?),
                        )
                    }
                    _ => wrong(span),
                }
            }
            expr => wrong(expr.span()),
        }
    }

    /// ```text
    /// const __TIMEOUT: Duration = TIMEOUT;
    /// const _: () = P::check_time("timeout", __TIMEOUT);
    /// ```
    pub(crate) fn check(&self, key: &str, krate: &CratePath) -> TokenStream {
        let Time::Const(name, expr) = self else {
            return TokenStream::new();
        };
        let at = krate.private_at(expr.span());
        quote_spanned! {expr.span()=>
            const #name: ::core::time::Duration = #expr;
            const _: () = #at::check_time(#key, #name);
        }
    }

    /// ```text
    /// const _: () = P::check_times(__BACKOFF_MIN, __BACKOFF_MAX);
    /// ```
    pub(crate) fn check_order(&self, max: &Self, krate: &CratePath) -> TokenStream {
        let ((Time::Const(_, at), _) | (_, Time::Const(_, at))) = (self, max) else {
            return TokenStream::new();
        };
        let (span, min, max) = (at.span(), self.tokens(), max.tokens());
        let at = krate.private_at(span);
        quote_spanned!(span=> const _: () = #at::check_times(#min, #max);)
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        match self {
            Time::Nanos(nanos) => quote!(::core::time::Duration::from_nanos(#nanos)),
            Time::Const(name, _) => quote!(#name),
        }
    }
}

/// Refuses two texts in the wrong order; constants are compared by the compiler.
fn in_order(at: Span, (min, max): (Time, Time)) -> Result<(Time, Time)> {
    match (&min, &max) {
        (Time::Nanos(shortest), Time::Nanos(longest)) if shortest > longest => Err(Error::new(
            at,
            "the shortest time is longer than the longest: exchange them",
        )),
        _ => Ok((min, max)),
    }
}

/// The constant that holds a value of the user's: there a wrong type is shown, and a zero.
fn constant(key: &str) -> Ident {
    format_ident!("__{}", key.to_uppercase())
}

fn nanos(at: &LitStr, text: &str) -> Result<u64> {
    duration::nanos(text).map_err(|message| Error::new(at.span(), message))
}

/// What a macro put in the place of `$limit:literal` or `$limit:expr` has invisible brackets.
fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

/// A closure of one argument.
pub(crate) fn closure(key: &str, expr: Expr) -> Result<ExprClosure> {
    match ungrouped(expr) {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure),
        expr => Err(Error::new(expr.span(), format!("expected {}", form(key)))),
    }
}

/// The words of a key, with the variants they stand for.
pub(crate) type Words = [(&'static str, &'static str)];

/// The variant that a word stands for.
pub(crate) fn one_of(text: &LitStr, key: &str, words: &Words) -> Result<&'static str> {
    let value = text.value();
    if let Some((_, variant)) = words.iter().find(|(word, _)| *word == value) {
        return Ok(variant);
    }
    let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let message = match nearest(&value, &words) {
        Some(near) => format!("unknown `{key}`, did you mean `\"{near}\"`?"),
        None => format!("unknown `{key}`: expected {}", list(&words)),
    };
    Err(Error::new(text.span(), message))
}
