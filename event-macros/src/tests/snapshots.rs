//! What the attributes write, in files. `UPDATE_SNAPSHOTS=1 cargo test -p event-macros` writes them anew.

use std::path::Path;
use std::{env, fs};

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use crate::{event, listener, listeners, main_fn, protocol};

#[track_caller]
fn assert_snapshot(name: &str, output: TokenStream) {
    let file = syn::parse2(show_submissions(output)).expect("the output is a list of items");
    let actual = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/snapshots")
        .join(format!("{name}.rs.txt"));
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &actual).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).expect("the snapshot exists");
    assert_eq!(
        actual, expected,
        "{name} differs: look at it and run with `UPDATE_SNAPSHOTS=1`"
    );
}

/// Writes `P::submit! { x }` as `static submitted: P::submit = x;`, since the arguments of macros are not laid out.
fn show_submissions(tokens: TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group) if ends_with_submit(&trees) => {
                // The tokens of `::tidings::__private::submit!`, where `::` is two.
                let mut path = trees.split_off(trees.len() - 10);
                path.pop();
                let record = group.stream();
                trees.extend(quote!(static submitted: #(#path)* = #record;));
            }
            TokenTree::Group(group) => {
                trees.push(Group::new(group.delimiter(), show_submissions(group.stream())).into());
            }
            tree => trees.push(tree),
        }
    }
    trees.into_iter().collect()
}

fn ends_with_submit(trees: &[TokenTree]) -> bool {
    matches!(trees, [.., TokenTree::Ident(name), TokenTree::Punct(_)] if name == "submit")
}

#[test]
fn event_plain() {
    let item = quote! {
        /// An order came in.
        /// It is not paid yet.
        #[derive(Debug)]
        pub struct NewOrder { pub order_id: u64, #[cfg(unix)] item: Option<String> }
    };
    assert_snapshot("event_plain", event::expand(quote!(), item));
}

#[test]
fn event_generic() {
    let args = quote!("users.paged", version = 2, stoppable, unheard = "warn");
    assert_snapshot(
        "event_generic",
        event::expand(
            args,
            quote!(
                struct Paged<T: Clone>(Vec<T>);
            ),
        ),
    );
}

#[test]
fn listener_plain() {
    let item = quote!(
        fn handle_new_order(order: &NewOrder) {
            println!("{}", order.order_id);
        }
    );
    assert_snapshot("listener_plain", listener::expand(quote!(), item));
}

#[test]
fn listener_full() {
    let args = quote! {
        "orders.*", early, after = crate::stock::reserve, before = "mail.send", when = |e| e.total > 100, id = "billing.charge", emits(Paid)
    };
    let item = quote! {
        /// Charges the card.
        fn charge(e: &Placed, db: &Db, #[cfg(unix)] cx: Context<'_>) -> Result<Paid, ChargeError> { todo() }
    };
    assert_snapshot("listener_full", listener::expand(args, item));
}

#[test]
fn listener_async() {
    let item = quote!(
        async fn charge(e: &Placed, db: &Db) -> Result<(), Declined> {
            db.charge(e).await
        }
    );
    assert_snapshot(
        "listener_async",
        listener::expand(quote!(when = |e| e.total > 0), item),
    );
}

#[test]
fn listeners_block() {
    let block = quote! {
        impl Mailer {
            #[listener(late)]
            fn confirm(&self, e: &Placed, cx: Context<'_>) { self.send(e, cx); }
            #[listener]
            fn count(e: &Placed) { COUNT.add(e); }
        }
    };
    assert_snapshot("listeners_block", listeners::expand(quote!(), block));
}

#[test]
fn listener_queued() {
    let args = quote! {
        queue = 1024, workers = 4, key = |e| e.customer, retry = TIMES, retry_if = |error| error.is::<Late>(), when = |e| e.total > 100
    };
    let item = quote! {
        fn book(e: &Placed, db: &Db) -> Result<(), Late> { db.book(e) }
    };
    assert_snapshot("listener_queued", listener::expand(args, item));
}

#[test]
fn listener_queued_async() {
    let item = quote!(
        async fn charge(e: &Placed, cx: Context<'_>) {}
    );
    let args = quote!(queue = SIZE, timeout = "5s");
    assert_snapshot("listener_queued_async", listener::expand(args, item));
}

#[test]
fn listener_batched() {
    let item = quote!(
        fn index(orders: &[&Placed], db: &Db) {}
    );
    let args = quote!(queue = 1024, batch = 64);
    assert_snapshot("listener_batched", listener::expand(args, item));
}

#[test]
fn event_reply() {
    let args = quote!("prices.get", reply = Result<Vec<Quote>, Closed>, unanswered = "ignore");
    let item = quote!(
        struct GetQuotes<T>(T);
    );
    assert_snapshot("event_reply", event::expand(args, item));
}

#[test]
fn listener_reply() {
    let item = quote!(
        fn quote(e: &GetQuote, prices: &Prices) -> Quote {
            prices.of(e)
        }
    );
    let args = quote!(reply, when = |e| e.pieces > 0);
    assert_snapshot("listener_reply", listener::expand(args, item));
}

#[test]
fn listener_reply_async() {
    let item = quote!(
        async fn quote(e: &GetQuote) -> Result<Quote, Closed> {
            ask(e).await
        }
    );
    assert_snapshot(
        "listener_reply_async",
        listener::expand(quote!(reply), item),
    );
}

#[test]
fn main_async() {
    let item = quote! {
        /// Takes orders.
        async fn main() -> Result<(), Error> { run().await }
    };
    assert_snapshot(
        "main_async",
        main_fn::expand(quote!(grace = "1m", bus = setup::bus), item),
    );
}

#[test]
fn protocol_block() {
    let item = quote! {
        impl Echo {
            /// Sends back what comes.
            #[listener]
            fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
                t.write(e.data.clone()).map(drop)
            }

            #[listener]
            #[cfg(unix)]
            fn made(&self, _: &ConnectionMade, cx: Context<'_>) {}
        }
    };
    assert_snapshot("protocol_block", protocol::expand(quote!(), item));
}
