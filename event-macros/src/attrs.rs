//! What the attributes read from the rest of an item's head.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, GenericParam, Generics, Lit, Meta};

use crate::errors::Errors;

/// The doc comment, its lines joined, without the space that follows `///`.
pub(crate) fn docs(attrs: &[Attribute]) -> Option<String> {
    let line = |attr: &Attribute| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attrs
        .iter()
        .filter_map(line)
        .map(|line| line.strip_prefix(' ').map(str::to_owned).unwrap_or(line))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The `#[cfg]`s. The compiler resolves those of the whole item before the macro runs, but not those inside it.
pub(crate) fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    let is_cfg = |attr: &&Attribute| attr.path().is_ident("cfg");
    attrs.iter().filter(is_cfg).cloned().collect()
}

/// The first words of an item, to tell what it is: its keyword comes after attributes and visibility.
pub(crate) fn keyword(item: &TokenStream) -> Option<Ident> {
    let mut trees = item.clone().into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(word) if word == "pub" => {
                let scope = |tree: &TokenTree| matches!(tree, TokenTree::Group(g) if g.delimiter() == Delimiter::Parenthesis);
                trees.next_if(scope);
            }
            TokenTree::Ident(word) => return Some(word),
            _ => {}
        }
    }
    None
}

/// A group in braces, also inside the invisible one that `macro_rules` puts round a `$body:block`.
pub(crate) fn braces(tree: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut inner = group.stream().into_iter();
            let body = inner.next().as_ref().and_then(braces);
            body.filter(|_| inner.next().is_none())
        }
        _ => None,
    }
}

/// Cuts off the last group in braces: the body of a function or an impl block, which is never parsed.
pub(crate) fn split_body(item: TokenStream) -> (TokenStream, Option<Group>) {
    let mut trees: Vec<TokenTree> = item.into_iter().collect();
    let body = trees.last().and_then(braces);
    if body.is_some() {
        trees.pop();
    }
    (trees.into_iter().collect(), body)
}

/// Reports every generic parameter: a registration stands for one function, known when the program is linked.
pub(crate) fn refuse_generics(generics: &Generics, what: &str, errors: &mut Errors) {
    for param in &generics.params {
        match param {
            GenericParam::Lifetime(param) => errors.at(
                param.lifetime.span(),
                format!(
                    "{what} has no lifetime parameters: remove `{}`",
                    param.lifetime
                ),
            ),
            GenericParam::Type(param) => errors.at(
                param.ident.span(),
                format!(
                    "{what} has no type parameters: write a concrete type instead of `{}`",
                    param.ident
                ),
            ),
            GenericParam::Const(param) => errors.at(
                param.ident.span(),
                format!(
                    "{what} has no const parameters: write a value instead of `{}`",
                    param.ident
                ),
            ),
        }
    }
}
