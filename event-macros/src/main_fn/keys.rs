//! The keys of `#[main]`.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Error, ExprPath, LitStr, Result, Token};

use crate::args::{CratePath, Seen, Shape, arguments, peek_key, unknown, value};
use crate::duration;
use crate::errors::Errors;

const KEYS: [&str; 3] = ["grace", "bus", "crate"];

pub(super) struct Keys {
    pub(super) krate: CratePath,
    /// In nanoseconds.
    pub(super) grace: Option<u64>,
    pub(super) bus: Option<ExprPath>,
}

impl Keys {
    pub(super) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let mut keys = Self {
            krate: CratePath::DEFAULT,
            grace: None,
            bus: None,
        };
        let mut seen = Seen::default();
        arguments(args, errors, |input, errors| {
            keys.argument(input, &mut seen, errors)
        });
        keys
    }

    fn argument(
        &mut self,
        input: ParseStream<'_>,
        seen: &mut Seen,
        errors: &mut Errors,
    ) -> Result<()> {
        let Some((key, shape)) = peek_key(input) else {
            return Err(input.error("expected a key, like `grace = \"5s\"`"));
        };
        let name = key.to_string();
        if !KEYS.contains(&name.as_str()) {
            return Err(unknown(&key, &KEYS));
        }
        let form = form(&name);
        seen.once(key.clone(), errors);
        if shape != Shape::Value {
            return Err(Error::new(key.span(), format!("expected {form}")));
        }
        match name.as_str() {
            "grace" => {
                let text: LitStr = value(input, form)?;
                let nanos = duration::nanos(&text.value());
                self.grace = Some(nanos.map_err(|message| Error::new(text.span(), message))?);
            }
            "bus" => {
                self.bus = Some(value(input, form)?);
                if !input.is_empty() && !input.peek(Token![,]) {
                    // A call, for example: the words for the whole say more than that a comma is missing.
                    let rest: TokenTree = input.parse()?;
                    return Err(Error::new(rest.span(), format!("expected {form}")));
                }
            }
            _ => self.krate = CratePath::parse(input)?,
        }
        Ok(())
    }
}

fn form(key: &str) -> &'static str {
    match key {
        "grace" => "a time in quotes, like `grace = \"5s\"`",
        "bus" => "the path of a function that takes and gives a `BusBuilder`, like `bus = setup`",
        _ => "a path, like `crate = ::tidings`",
    }
}
