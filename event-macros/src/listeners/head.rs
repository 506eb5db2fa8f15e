//! Splits an impl block into its items without parsing their bodies.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree, token_stream::IntoIter};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Generics, Meta, Result, Token, Type};

use crate::attrs::{braces, keyword, refuse_generics, split_body};
use crate::errors::Errors;

pub(crate) struct Block {
    /// Everything before the braces.
    pub(crate) header: TokenStream,
    /// The whole block without the `#[listener]`s, which would otherwise run once more, alone.
    pub(crate) output: TokenStream,
    pub(crate) methods: Vec<Method>,
}

pub(crate) struct Method {
    /// The arguments of its `#[listener]`.
    pub(crate) args: TokenStream,
    pub(crate) head: TokenStream,
}

/// The attribute on an impl block, for the messages.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// `#[listeners]`.
    pub(crate) attribute: &'static str,
    /// What to do with an item that is no impl block.
    pub(crate) elsewhere: &'static str,
    /// What an impl block with it is.
    pub(crate) block: &'static str,
}

pub(crate) fn split(item: &TokenStream, words: Words) -> Result<Block> {
    let first = keyword(item).map_or_else(Span::call_site, |word| word.span());
    let refuse = |message| Err(Error::new(first, message));
    let (header, body) = split_body(item.clone());
    let is_impl =
        keyword(item).is_some_and(|word| word == "impl" || word == "unsafe" || word == "default");
    let Some(body) = body.filter(|_| is_impl) else {
        let Words {
            attribute,
            elsewhere,
            ..
        } = words;
        return refuse(format!("`{attribute}` goes on an impl block: {elsewhere}"));
    };
    let mut methods = Vec::new();
    let mut items = TokenStream::new();
    let mut trees = body.stream().into_iter().peekable();
    while trees.peek().is_some() {
        let attributes = attributes(&mut trees);
        let mut item = TokenStream::new();
        rest(&mut trees, &mut item);
        items.extend(attributes.others.into_iter().chain(item.clone()));
        // A second `#[listener]` is for the rules of a listener to refuse.
        let head = attributes.kept.into_iter().chain(item).collect();
        methods.extend((attributes.args).map(|args| Method { args, head }));
    }
    let mut braces = Group::new(Delimiter::Brace, items);
    braces.set_span(body.span());
    let output = header
        .clone()
        .into_iter()
        .chain([TokenTree::Group(braces)])
        .collect();
    Ok(Block {
        header,
        output,
        methods,
    })
}

#[derive(Default)]
struct Attributes {
    /// The arguments of the first `#[listener]`.
    args: Option<TokenStream>,
    /// All attributes but that one.
    kept: TokenStream,
    /// All that are no `#[listener]`.
    others: TokenStream,
}

/// Takes the attributes of an item.
fn attributes(trees: &mut Peekable<IntoIter>) -> Attributes {
    let mut taken = Attributes::default();
    while let Some(hash) = trees.next_if(|tree| is_punct(tree, '#')) {
        let bang = trees.next_if(|tree| is_punct(tree, '!'));
        let attribute = trees.next_if(|tree| matches!(tree, TokenTree::Group(_)));
        let args = attribute.as_ref().and_then(listener_args);
        let args = args.filter(|_| bang.is_none());
        let is_listener = args.is_some();
        if is_listener && taken.args.is_none() {
            taken.args = args;
            continue;
        }
        let tokens: TokenStream = [hash].into_iter().chain(bang).chain(attribute).collect();
        taken.kept.extend(tokens.clone());
        if !is_listener {
            taken.others.extend(tokens);
        }
    }
    taken
}

fn listener_args(attribute: &TokenTree) -> Option<TokenStream> {
    let TokenTree::Group(group) = attribute else {
        return None;
    };
    let meta: Meta = syn::parse2(group.stream()).ok()?;
    if meta.path().segments.last()?.ident != "listener" {
        return None;
    }
    match meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens),
        Meta::NameValue(_) => None,
    }
}

/// Takes an item up to its body or semicolon.
fn rest(trees: &mut Peekable<IntoIter>, item: &mut TokenStream) {
    let mut words = Vec::new();
    for tree in trees.by_ref() {
        if let TokenTree::Ident(word) = &tree {
            words.push(word.to_string());
        }
        let end = is_punct(&tree, ';') || (braces(&tree).is_some() && !is_constant(&words));
        item.extend([tree]);
        if end {
            return;
        }
    }
}

/// Whether these words start an item that ends with a semicolon, whatever braces it has: a `const` or a `type`.
fn is_constant(words: &[String]) -> bool {
    let mut words = words
        .iter()
        .map(String::as_str)
        .skip_while(|word| matches!(*word, "pub" | "default"));
    match words.next() {
        Some("type") => true,
        Some("const") => !matches!(words.next(), Some("fn" | "async" | "unsafe" | "extern")),
        _ => false,
    }
}

fn is_punct(tree: &TokenTree, char: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == char)
}

/// The type that the block is for.
pub(crate) fn owner(header: TokenStream, words: Words, errors: &mut Errors) -> Option<Type> {
    let parsed = header_parts.parse2(header);
    let (generics, ty, for_trait) = errors.take(parsed)?;
    refuse_generics(&generics, words.block, errors);
    if let Some(token) = for_trait {
        let attribute = words.attribute;
        let message = format!(
            "`{attribute}` goes on an inherent impl block: move the listeners to `impl Type {{ .. }}`"
        );
        errors.at(token.span(), message);
        return None;
    }
    Some(ty)
}

fn header_parts(input: ParseStream<'_>) -> Result<(Generics, Type, Option<Token![for]>)> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Option<Token![default]>>()?;
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Token![impl]>()?;
    let generics = input.parse()?;
    input.parse::<Option<Token![const]>>()?;
    input.parse::<Option<Token![!]>>()?;
    let ty = input.parse()?;
    let for_trait = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok((generics, ty, for_trait))
}
