//! The keys of `#[event]` and the rules an event keeps.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Error, GenericParam, Generics, Ident, LitInt, LitStr, Result, Type};

use super::head::{Entry, Head};
use crate::args::{CratePath, Seen, Shape, arguments, checked, peek_key, unknown, value};
use crate::attrs;
use crate::errors::Errors;
use crate::listener::model::has_impl;
use crate::topic::{check_topic, snake_case};

const KEYS: [&str; 7] = [
    "version",
    "serde",
    "reply",
    "unanswered",
    "stoppable",
    "unheard",
    "crate",
];

pub(crate) struct Args {
    krate: CratePath,
    topic: Option<LitStr>,
    /// Whether a topic was written, also one with errors.
    named: bool,
    version: u32,
    serde: Option<Span>,
    stoppable: bool,
    unheard: Option<Ident>,
    reply: Option<Type>,
    unanswered: Option<Ident>,
}

impl Args {
    pub(crate) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let mut read = Self {
            krate: CratePath::DEFAULT,
            topic: None,
            named: false,
            version: 1,
            serde: None,
            stoppable: false,
            unheard: None,
            reply: None,
            unanswered: None,
        };
        let mut seen = Seen::default();
        arguments(args, errors, |input, errors| {
            read.argument(input, &mut seen, errors)
        });
        if let Some(key) = seen
            .get("unanswered")
            .filter(|_| seen.get("reply").is_none())
        {
            errors.at(
                key.span(),
                "`unanswered` says nothing of an event without a reply: add `reply = Type`, or remove it",
            );
        }
        read
    }

    fn argument(
        &mut self,
        input: ParseStream<'_>,
        seen: &mut Seen,
        errors: &mut Errors,
    ) -> Result<()> {
        if input.peek(LitStr) {
            return self.topic(input.parse()?, errors);
        }
        let Some((key, shape)) = peek_key(input) else {
            return Err(input
                .error("expected a topic like `\"orders.placed\"` or a key like `version = 2`"));
        };
        let name = key.to_string();
        if !KEYS.contains(&name.as_str()) {
            return Err(unknown(&key, &KEYS));
        }
        seen.once(key.clone(), errors);
        match (name.as_str(), shape) {
            ("serde", Shape::Bare) => self.serde = Some(input.call(Ident::parse_any)?.span()),
            ("stoppable", Shape::Bare) => {
                input.parse::<Ident>()?;
                self.stoppable = true;
            }
            ("version", Shape::Value) => self.version = version(input)?,
            ("unheard", Shape::Value) => self.unheard = Some(unheard(input)?),
            ("reply", Shape::Value) => self.reply = Some(reply(input)?),
            ("unanswered", Shape::Value) => self.unanswered = Some(unanswered(input)?),
            ("crate", Shape::Value) => self.krate = CratePath::parse(input)?,
            (flag @ ("serde" | "stoppable"), _) => {
                return Err(Error::new(
                    key.span(),
                    format!("`{flag}` takes no value: write `{flag}`"),
                ));
            }
            (_, _) => return Err(Error::new(key.span(), form(&name))),
        }
        Ok(())
    }

    fn topic(&mut self, topic: LitStr, errors: &mut Errors) -> Result<()> {
        self.named = true;
        match &self.topic {
            Some(first) => {
                errors.at(topic.span(), "an event has one topic: remove one");
                errors.at(first.span(), "the topic is given here first");
            }
            None => self.topic = Some(checked(topic, check_topic)?),
        }
        Ok(())
    }
}

fn form(key: &str) -> &'static str {
    match key {
        "version" => "expected a version from 1, like `version = 2`",
        "unheard" => "expected `unheard = \"ignore\"`, `\"warn\"` or `\"error\"`",
        "reply" => REPLY,
        "unanswered" => UNANSWERED,
        _ => "expected a path, like `crate = ::tidings`",
    }
}

const REPLY: &str = "expected the type of the answer, like `reply = Quote`";
const UNANSWERED: &str = "expected `unanswered = \"ignore\"` or `\"error\"`";

fn reply(input: ParseStream<'_>) -> Result<Type> {
    let ty: Type = value(input, REPLY.trim_start_matches("expected "))?;
    match has_impl(&ty) {
        None => Ok(ty),
        Some(span) => Err(Error::new(
            span,
            "an event names the type of its answer: write the type instead of `impl`",
        )),
    }
}

/// The variant of the core's `Unanswered`.
fn unanswered(input: ParseStream<'_>) -> Result<Ident> {
    let text: LitStr = value(input, UNANSWERED.trim_start_matches("expected "))?;
    match text.value().as_str() {
        "ignore" => Ok(Ident::new("Ignore", Span::call_site())),
        "error" => Ok(Ident::new("Error", Span::call_site())),
        _ => Err(Error::new(
            text.span(),
            "expected `\"ignore\"` or `\"error\"`",
        )),
    }
}

fn version(input: ParseStream<'_>) -> Result<u32> {
    let number: LitInt = value(input, "a version from 1, like `version = 2`")?;
    match number.base10_parse() {
        Ok(version) if version >= 1 => Ok(version),
        _ => Err(Error::new(
            number.span(),
            format!(
                "expected a version between 1 and {}, like `version = 2`",
                u32::MAX
            ),
        )),
    }
}

/// The variant of the core's `Unheard`.
fn unheard(input: ParseStream<'_>) -> Result<Ident> {
    let text: LitStr = value(input, "`unheard = \"ignore\"`, `\"warn\"` or `\"error\"`")?;
    let variant = match text.value().as_str() {
        "ignore" => "Ignore",
        "warn" => "Warn",
        "error" => "Error",
        _ => {
            return Err(Error::new(
                text.span(),
                "expected `\"ignore\"`, `\"warn\"` or `\"error\"`",
            ));
        }
    };
    Ok(Ident::new(variant, Span::call_site()))
}

/// A checked event. With errors it still has what other code that names the type needs.
pub(crate) struct Event {
    pub(crate) krate: CratePath,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) generics: Generics,
    /// Whether it has type or const parameters: one static cannot serve all its instantiations.
    pub(crate) generic: bool,
    pub(crate) topic: String,
    pub(crate) version: u32,
    pub(crate) serde: Option<Span>,
    pub(crate) stoppable: bool,
    pub(crate) unheard: Option<Ident>,
    pub(crate) reply: Option<Type>,
    pub(crate) unanswered: Option<Ident>,
    pub(crate) docs: Option<String>,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) name: String,
    pub(crate) ty: String,
}

impl Event {
    /// Nothing for a type with a lifetime, since an implementation would only add errors to ours.
    pub(crate) fn new(args: Args, head: Head, errors: &mut Errors) -> Option<Self> {
        let Head {
            attrs,
            ident,
            generics,
            fields,
        } = head;
        let name = ident.unraw().to_string();
        let generic = generics
            .params
            .iter()
            .any(|param| !matches!(param, GenericParam::Lifetime(_)));
        let lifetimes = generics.lifetimes().count() > 0;
        for param in generics.lifetimes() {
            let message = format!(
                "an event owns its data, since listeners may run after the emitter: remove `{}` and write owned types, like `String` for `&str`",
                param.lifetime
            );
            errors.at(param.lifetime.span(), message);
        }
        if let Some(serde) = args.serde.filter(|_| generic) {
            errors.at(
                serde,
                "a generic event cannot be `serde`: its name does not tell which type to read",
            );
        }
        if !args.named {
            check_default_topic(&ident, &name, generic, errors);
        }
        let topic = args
            .topic
            .map_or_else(|| snake_case(&name), |topic| topic.value());
        let field = |Entry { attrs, name, ty }| Field {
            cfgs: attrs::cfgs(&attrs),
            name,
            ty,
        };
        (!lifetimes).then(|| Self {
            krate: args.krate,
            docs: attrs::docs(&attrs),
            fields: fields.into_iter().map(field).collect(),
            version: args.version,
            serde: args.serde.filter(|_| !generic),
            stoppable: args.stoppable,
            unheard: args.unheard,
            reply: args.reply,
            unanswered: args.unanswered,
            ident,
            name,
            generics,
            generic,
            topic,
        })
    }
}

fn check_default_topic(ident: &Ident, name: &str, generic: bool, errors: &mut Errors) {
    let topic = snake_case(name);
    if generic {
        let message = format!("a generic event names its topic: write `#[event(\"{topic}\")]`");
        errors.at(ident.span(), message);
    } else if check_topic(&topic).is_err() {
        let message = format!(
            "the name `{name}` does not make a topic: write one, like `#[event(\"orders.placed\")]`"
        );
        errors.at(ident.span(), message);
    }
}
