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

/// Four workers write, and the purchases of one customer stay in their order.
#[listener(queue = 1024, workers = 4, key = |purchase| purchase.customer, id = "ledger.statement")]
fn write_statement(purchase: &Purchased, ledger: &Ledger) {
    open(&ledger.statements).write(purchase);
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

#[listener(early, after = write_best_customers)]
fn check_statements(_: &ReportRequested, ledger: &Ledger, page: &Page) -> io::Result<()> {
    let checked = open(&ledger.statements).check(&open(&ledger.customers));
    page.section("Statements", &checked)?;
    if checked.in_order {
        Ok(())
    } else {
        Err(io::Error::other(
            "statements are not in the order of the purchases",
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc, time::Duration};

    use shop_events::{Cents, Date, Page, Purchased};
    use tidings::Bus;

    use crate::{Ledger, open};

    #[test]
    fn four_workers_keep_the_order_of_every_customer() {
        let ledger = Arc::new(Ledger::default());
        let bus = Bus::builder()
            .state(Arc::clone(&ledger))
            .state(Page::new(io::sink()))
            .build()
            .expect("the bus has all the state that this crate asks for");

        for number in 0..20_000 {
            bus.emit(Purchased {
                customer: number % 50,
                date: Date::new(1997, 1, 1).expect("the day exists because January has 31 days"),
                cds: 1,
                total: Cents::new(number.into()),
            });
        }
        let shutdown = bus.shutdown_blocking(Duration::MAX);

        assert!(shutdown.expect("no listener runs here").is_clean());
        let checked = open(&ledger.statements).check(&open(&ledger.customers));
        assert_eq!(
            checked.to_string(),
            "lines written     20,000\nstill to write         0\nin order             yes\n",
        );
    }
}
