//! The arguments that say how deliveries are carried: those of async listeners, and those of queues.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Ident, Result};

use super::values::{Number, Time, Words, closure, form, one_of};
use crate::args::{CratePath, value};
use crate::errors::Errors;

pub(crate) const KEYS: [&str; 15] = [
    "limit", "overlap", "timeout", "queue", "workers", "key", "batch", "overflow", "retry",
    "backoff", "retry_if", "every", "missed", "debounce", "throttle",
];

const OVERLAPS: &Words = &[
    ("parallel", "Parallel"),
    ("serial", "Serial"),
    ("latest", "Latest"),
    ("drop", "Drop"),
];

const MISSED: &Words = &[("skip", "Skip"), ("burst", "Burst"), ("delay", "Delay")];

const OVERFLOWS: &Words = &[
    ("block", "Block"),
    ("reject", "Reject"),
    ("drop_oldest", "DropOldest"),
    ("drop_newest", "DropNewest"),
];

/// What was said of the deliveries, key by key.
#[derive(Default)]
pub(crate) struct Delivery {
    /// All keys that are there, those with a wrong value too: it has its own error.
    named: Vec<Ident>,
    said: Vec<(Ident, Said)>,
}

enum Said {
    Limit(Number),
    Overlap(&'static str),
    Timeout(Time),
    Queue(Number),
    Workers(Number),
    Batch(Number),
    Overflow(&'static str),
    Retry(Number),
    Backoff(Time, Time),
    Key(Box<ExprClosure>),
    RetryIf(Box<ExprClosure>),
    /// `every`, `debounce` or `throttle`.
    Timed(Time),
    Missed(&'static str),
}

impl Delivery {
    /// Takes note of a key.
    pub(crate) fn name(&mut self, key: &Ident) {
        self.named.push(key.clone());
    }

    /// Reads `key = value`.
    pub(crate) fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        let key = name.to_string();
        let key = key.as_str();
        let said = match key {
            "overlap" => Said::Overlap(one_of(&value(input, form(key))?, key, OVERLAPS)?),
            "overflow" => Said::Overflow(one_of(&value(input, form(key))?, key, OVERFLOWS)?),
            "missed" => Said::Missed(one_of(&value(input, form(key))?, key, MISSED)?),
            _ => Said::new(key, value(input, form(key))?)?,
        };
        self.said.push((name.clone(), said));
        Ok(())
    }

    /// Refuses what means nothing.
    pub(crate) fn check(&self, asynchronous: bool, returns: bool, errors: &mut Errors) {
        let has = |key: &str| self.word(key).is_some();
        let queued = has("queue");
        for (name, _) in &self.said {
            let message = match name.to_string().as_str() {
                word @ ("limit" | "overlap") if queued => format!(
                    "a queue has its own rules: write `workers` for how many deliveries run at a time, and remove `{word}`"
                ),
                "timeout" if queued && !asynchronous => {
                    "a plain function cannot be ended from outside: write `async fn`, or remove `timeout`"
                        .to_owned()
                }
                "key" if queued && !has("workers") && !has("batch") => {
                    "one worker keeps the order of all deliveries: add `workers = 4`, or remove `key`"
                        .to_owned()
                }
                word @ ("backoff" | "retry_if") if queued && !has("retry") => {
                    format!("`{word}` says nothing without retries: add `retry = 3`, or remove it")
                }
                word @ ("limit" | "overlap" | "timeout") if !queued && !asynchronous => format!(
                    "a plain function runs inside `emit`, so `{word}` says nothing of it: write `async fn`, or remove it"
                ),
                // What another type than `()` may say is known to the compiler only.
                "retry" if queued && !returns => {
                    "`retry` says nothing of a listener that returns no error: return a `Result`, or remove it"
                        .to_owned()
                }
                "limit" | "overlap" | "timeout" => continue,
                _ if queued => continue,
                "key" => {
                    "`key` says what runs one after another, or shares a time: add `queue = 1024, workers = 4`, `debounce = \"200ms\"` or `throttle = \"1s\"`, or remove it"
                        .to_owned()
                }
                word => format!("`{word}` is a matter of queues: add `queue = 1024`, or remove it"),
            };
            errors.at(name.span(), message);
        }
    }

    /// The words of all keys that are there.
    pub(super) fn words(&self) -> &[Ident] {
        &self.named
    }

    /// The word that says where a delivery waits, beyond its emission.
    pub(crate) fn lane(&self) -> Option<&Ident> {
        self.timed().or(self.queue())
    }

    /// The first of the words that say when a delivery is made.
    pub(crate) fn timed(&self) -> Option<&Ident> {
        let is_timed = |name: &&Ident| super::timed::KEYS.iter().any(|key| *name == key);
        self.named.iter().find(is_timed)
    }

    /// The word `queue`, if there is one.
    pub(crate) fn queue(&self) -> Option<&Ident> {
        self.word("queue")
    }

    /// Whether a queue gives several events at once.
    pub(crate) fn batched(&self) -> bool {
        self.queue().is_some() && self.word("batch").is_some()
    }

    pub(crate) fn word(&self, key: &str) -> Option<&Ident> {
        self.named.iter().find(|name| *name == key)
    }

    /// `.key(|e, __h| P::hash_key(&(e.customer), __h)).retry_if(|err| ..)`
    pub(crate) fn closures(&self, krate: &CratePath) -> TokenStream {
        let calls = self.said.iter().map(|(_, said)| match said {
            Said::Key(closure) => {
                let (inputs, body) = (&closure.inputs, &closure.body);
                let hasher = Ident::new("__h", Span::mixed_site());
                let at = krate.private_at(body.span());
                // The body is taken as a place, so that a field need not be copied.
                let hash = quote_spanned!(body.span()=> #at::hash_key(&(#body), #hasher));
                quote!(.key(|#inputs, #hasher| #hash))
            }
            // The key takes a closure, so the lint that wants the path of a method instead has no place.
            Said::RetryIf(closure) => quote! {
                .retry_if(#[allow(clippy::redundant_closure, clippy::redundant_closure_for_method_calls)] #closure)
            },
            _ => TokenStream::new(),
        });
        calls.collect()
    }

    /// The constants for values that are no literals, see [`Number::check`] and [`Time::check`].
    pub(crate) fn checks(&self, krate: &CratePath) -> TokenStream {
        let checks = self.said.iter().map(|(name, said)| {
            let key = name.to_string();
            match said {
                Said::Limit(number)
                | Said::Queue(number)
                | Said::Workers(number)
                | Said::Batch(number) => number.check(&key, &quote!(usize), krate),
                Said::Retry(number) => number.check(&key, &quote!(u32), krate),
                Said::Timeout(time) | Said::Timed(time) => time.check(&key, krate),
                Said::Backoff(min, max) => {
                    let order = min.check_order(max, krate);
                    let (min, max) = (min.check(&key, krate), max.check(&key, krate));
                    quote!(#min #max #order)
                }
                _ => TokenStream::new(),
            }
        });
        checks.collect()
    }

    /// ```text
    /// .policy(P::Policy::queued(1024).workers(__WORKERS).retry(3).backoff(Duration::from_nanos(..), Duration::from_nanos(..)))
    /// ```
    pub(crate) fn call(&self, p: &TokenStream) -> TokenStream {
        if self.said.is_empty() {
            return TokenStream::new();
        }
        let queue = self.said.iter().find_map(|(_, said)| match said {
            Said::Queue(capacity) => Some(capacity.tokens()),
            _ => None,
        });
        let base = queue.map_or_else(
            || quote!(asynchronous()),
            |capacity| quote!(queued(#capacity)),
        );
        let calls = self.said.iter().map(|(name, said)| match said {
            Said::Limit(number)
            | Said::Workers(number)
            | Said::Batch(number)
            | Said::Retry(number) => {
                let number = number.tokens();
                quote!(.#name(#number))
            }
            Said::Overlap(variant) => {
                let variant = Ident::new(variant, name.span());
                quote!(.overlap(#p::Overlap::#variant))
            }
            Said::Overflow(variant) => {
                let variant = Ident::new(variant, name.span());
                quote!(.overflow(#p::Overflow::#variant))
            }
            Said::Timeout(time) | Said::Timed(time) => {
                let time = time.tokens();
                quote!(.#name(#time))
            }
            Said::Missed(variant) => {
                let variant = Ident::new(variant, name.span());
                quote!(.missed(#p::Missed::#variant))
            }
            Said::Backoff(min, max) => {
                let (min, max) = (min.tokens(), max.tokens());
                quote!(.backoff(#min, #max))
            }
            Said::Queue(_) | Said::Key(_) | Said::RetryIf(_) => TokenStream::new(),
        });
        let judged = self.word("retry_if").map(|_| quote!(.retries_some()));
        let keyed = self.timed().and(self.word("key"));
        let keyed = keyed.map(|_| quote!(.timed_by_key()));
        quote!(.policy(#p::Policy::#base #(#calls)*) #judged #keyed)
    }
}

impl Said {
    fn new(key: &str, expr: Expr) -> Result<Self> {
        Ok(match key {
            "limit" => Said::Limit(Number::new(key, "usize", expr)?),
            "queue" => Said::Queue(Number::new(key, "usize", expr)?),
            "workers" => Said::Workers(Number::new(key, "usize", expr)?),
            "batch" => Said::Batch(Number::new(key, "usize", expr)?),
            "retry" => Said::Retry(Number::new(key, "u32", expr)?),
            "backoff" => {
                let (min, max) = Time::range(key, expr)?;
                Said::Backoff(min, max)
            }
            "key" => Said::Key(Box::new(closure(key, expr)?)),
            "retry_if" => Said::RetryIf(Box::new(closure(key, expr)?)),
            "every" | "debounce" | "throttle" => Said::Timed(Time::new(key, "", expr)?),
            _ => Said::Timeout(Time::new(key, "", expr)?),
        })
    }
}
