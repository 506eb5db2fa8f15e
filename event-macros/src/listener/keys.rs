//! The arguments of `#[listener]`.

use proc_macro2::{Span, TokenStream};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, ExprClosure, ExprPath, Ident, Lit, LitStr, Result, Token, Type};

use super::delivery::{self, Delivery};
use super::values;
use crate::args::{CratePath, Seen, Shape, arguments, checked, peek_key, unknown, value};
use crate::errors::{Errors, nearest};
use crate::text;
use crate::topic::{check_id, check_pattern};

const KEYS: [&str; 24] = [
    "early", "late", "before", "after", "when", "id", "emits", "reply", "limit", "overlap",
    "timeout", "queue", "workers", "key", "batch", "overflow", "retry", "backoff", "retry_if",
    "every", "missed", "debounce", "throttle", "crate",
];

#[derive(Default)]
pub(crate) struct Args {
    pub(crate) krate: Option<CratePath>,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) phase: Option<Ident>,
    pub(crate) relations: Vec<(Side, Target)>,
    pub(crate) when: Option<Condition>,
    pub(crate) id: Option<LitStr>,
    pub(crate) emits: Vec<Type>,
    /// The word, if it answers.
    pub(crate) reply: Option<Ident>,
    pub(crate) delivery: Delivery,
    /// Keys that say something of the event or of the order, for who has neither.
    pub(super) others: Vec<Ident>,
}

pub(crate) enum Selector {
    Pattern(LitStr),
    Type(Box<Type>),
}

#[derive(Clone, Copy)]
pub(crate) enum Side {
    Before,
    After,
}

pub(crate) enum Target {
    Function(ExprPath),
    Id(LitStr),
}

pub(crate) struct Condition {
    /// The user's own tokens: printing the parsed closure would lose their spacing.
    pub(crate) closure: TokenStream,
    pub(crate) text: String,
}

impl Args {
    pub(crate) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let mut read = Self::default();
        let mut seen = Seen::default();
        arguments(args, errors, |input, errors| {
            read.argument(input, &mut seen, errors)
        });
        read
    }

    fn argument(
        &mut self,
        input: ParseStream<'_>,
        seen: &mut Seen,
        errors: &mut Errors,
    ) -> Result<()> {
        if input.peek(Lit) {
            let pattern = input.parse().map_err(|error| {
                Error::new(
                    error.span(),
                    "expected a topic or a pattern in quotes, like `\"orders.*\"`",
                )
            })?;
            self.selectors
                .push(Selector::Pattern(checked(pattern, check_pattern)?));
            return Ok(());
        }
        let Some((key, shape)) = peek_key(input).filter(is_meant_as_key) else {
            let ty = input.parse().map_err(|error| {
                Error::new(error.span(), "expected an event type, a topic like `\"orders.placed\"` or a key like `early`")
            })?;
            self.selectors.push(Selector::Type(ty));
            return Ok(());
        };
        let name = key.to_string();
        if !KEYS.contains(&name.as_str()) {
            return Err(unknown(&key, &KEYS));
        }
        if name != "before" && name != "after" {
            seen.once(key.clone(), errors);
        }
        self.key(&key, shape, input, errors)
    }

    fn key(
        &mut self,
        key: &Ident,
        shape: Shape,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> Result<()> {
        let name = key.to_string();
        if delivery::KEYS.contains(&name.as_str()) {
            self.delivery.name(key);
        } else {
            self.others.push(key.clone());
        }
        match (name.as_str(), shape) {
            ("early" | "late", Shape::Bare) => {
                let phase: Ident = input.parse()?;
                if let Some(first) = self.phase.as_ref().filter(|first| **first != phase) {
                    errors.at(
                        phase.span(),
                        format!("`{phase}` contradicts `{first}`: remove one"),
                    );
                }
                self.phase = Some(phase);
            }
            ("reply", Shape::Bare) => self.reply = Some(input.parse()?),
            ("before", Shape::Value | Shape::List) => self.relations(Side::Before, shape, input)?,
            ("after", Shape::Value | Shape::List) => self.relations(Side::After, shape, input)?,
            ("when", Shape::Value) => self.when = Some(condition(input)?),
            ("id", Shape::Value) => self.id = Some(checked(value(input, form("id"))?, check_id)?),
            ("emits", Shape::List) => self.emits = list(input, "an event type")?,
            (name, Shape::Value) if delivery::KEYS.contains(&name) => {
                self.delivery.read(key, input)?;
            }
            ("crate", Shape::Value) => self.krate = Some(CratePath::parse(input)?),
            ("early" | "late" | "reply", _) => {
                return Err(Error::new(
                    key.span(),
                    format!("`{name}` takes no value: write `{name}`"),
                ));
            }
            _ => return Err(Error::new(key.span(), format!("expected {}", form(&name)))),
        }
        Ok(())
    }

    fn relations(&mut self, side: Side, shape: Shape, input: ParseStream<'_>) -> Result<()> {
        let targets = if shape == Shape::Value {
            vec![value(
                input,
                "the path of a listener or its id, like `crate::stock::reserve` or `\"billing.charge\"`",
            )?]
        } else {
            list(input, "the path of a listener or its id")?
        };
        self.relations
            .extend(targets.into_iter().map(|target| (side, target)));
        Ok(())
    }
}

impl syn::parse::Parse for Target {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            Ok(Self::Id(input.parse()?))
        } else {
            Ok(Self::Function(input.parse()?))
        }
    }
}

/// A bare name is an event type, unless it is a key or looks like one with a slip.
fn is_meant_as_key((key, shape): &(Ident, Shape)) -> bool {
    let name = key.to_string();
    let lower_case = name.starts_with(|c: char| c.is_lowercase());
    *shape != Shape::Bare
        || KEYS.contains(&name.as_str())
        || (lower_case && nearest(&name, &KEYS).is_some())
}

fn form(key: &str) -> &'static str {
    match key {
        "before" => "`before = path::to::listener` or `before = \"id\"`",
        "after" => "`after = path::to::listener` or `after = \"id\"`",
        "when" => "a closure of one argument, like `when = |e| e.total > 100`",
        "id" => "text in quotes, like `id = \"billing.charge\"`",
        "emits" => "the event types in parentheses, like `emits(Paid, Refused)`",
        "crate" => "a path, like `crate = ::tidings`",
        _ => values::form(key),
    }
}

/// Reads `key(a, b)`.
fn list<T: syn::parse::Parse>(input: ParseStream<'_>, expected: &str) -> Result<Vec<T>> {
    let key = input.call(Ident::parse_any)?;
    let group: proc_macro2::Group = input.parse()?;
    let items = Punctuated::<T, Token![,]>::parse_terminated
        .parse2(group.stream())
        .map_err(|error| Error::new(error.span(), format!("expected {expected}")))?;
    if items.is_empty() {
        return Err(Error::new(
            key.span(),
            format!("expected {}", form(&key.to_string())),
        ));
    }
    Ok(items.into_iter().collect())
}

fn condition(input: ParseStream<'_>) -> Result<Condition> {
    let expected = || format!("expected {}", form("when"));
    let key: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(key.span(), expected()));
    }
    if !(input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move])) {
        return Err(input.error(expected()));
    }
    let begin = input.cursor();
    let parsed: ExprClosure = input.parse()?;
    if parsed.inputs.len() != 1 {
        return Err(Error::new(parsed.inputs_begin.span, expected()));
    }
    let closure = between(begin, input.cursor());
    let text = text::of_expr(closure.clone());
    Ok(Condition { closure, text })
}

fn between(begin: Cursor<'_>, end: Cursor<'_>) -> TokenStream {
    let mut at = begin;
    std::iter::from_fn(|| {
        let (tree, next) = (at != end).then(|| at.token_tree())??;
        at = next;
        Some(tree)
    })
    .collect()
}

impl Target {
    /// Says what is wrong with an id.
    pub(crate) fn check(&self, errors: &mut Errors) {
        if let Self::Id(id) = self {
            errors.take(checked(id.clone(), check_id));
        }
    }
}

impl Selector {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Pattern(pattern) => pattern.span(),
            Self::Type(ty) => syn::spanned::Spanned::span(ty),
        }
    }
}
