use std::io;

use shop_events::{Page, Purchased, ReportRequested};
use tidings::listener;

use crate::{Ledger, open};

#[listener]
fn add_to_totals(purchase: &Purchased, ledger: &Ledger) {
    open(&ledger.totals).add(purchase);
}

#[listener]
fn add_to_month(purchase: &Purchased, ledger: &Ledger) {
    open(&ledger.months).add(purchase);
}

#[listener]
fn add_to_customer(purchase: &Purchased, ledger: &Ledger) {
    open(&ledger.customers).add(purchase);
}

#[listener(early, id = "ledger.totals")]
fn write_totals(_: &ReportRequested, ledger: &Ledger, page: &Page) -> io::Result<()> {
    let customers = open(&ledger.customers).len();
    page.section("Totals", open(&ledger.totals).table(customers))
}

#[listener(early, after = write_totals)]
fn write_months(_: &ReportRequested, ledger: &Ledger, page: &Page) -> io::Result<()> {
    page.section("Revenue per month", &*open(&ledger.months))
}

#[listener(early, after = write_months)]
fn write_best_customers(_: &ReportRequested, ledger: &Ledger, page: &Page) -> io::Result<()> {
    page.section("Best customers", &*open(&ledger.customers))
}
