use std::io;

use shop_events::{CustomerBecameLoyal, Page, Purchased, ReportRequested};
use tidings::listener;

use crate::{AlertDesk, LARGE_ORDER};

#[listener(when = |order| order.total > LARGE_ORDER)]
fn tell_large_order(order: &Purchased, desk: &AlertDesk) {
    desk.told().add_large_order(*order);
}

#[listener]
fn tell_loyal_customer(_: &CustomerBecameLoyal, desk: &AlertDesk) {
    desk.told().loyal_customers += 1;
}

#[listener(late, id = "alerts.report")]
fn write_alerts(_: &ReportRequested, desk: &AlertDesk, page: &Page) -> io::Result<()> {
    page.section("Alerts", &*desk.told())
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use shop_events::{Cents, CustomerBecameLoyal, Date, Page, Purchased};
    use tidings::Bus;

    use crate::AlertDesk;

    fn bus(desk: &Arc<AlertDesk>) -> Bus {
        Bus::builder()
            .state(Arc::clone(desk))
            .state(Page::new(io::sink()))
            .build()
            .expect("the bus has all the state that this crate asks for")
    }

    fn order(day: u8, total: u64) -> Purchased {
        Purchased {
            customer: 4,
            date: Date::new(1997, 1, day).expect("the day exists because January has 31 days"),
            cds: 9,
            total: Cents::new(total),
        }
    }

    #[test]
    fn an_order_is_told_above_the_limit_and_not_at_it() {
        let desk = Arc::new(AlertDesk::default());
        let bus = bus(&desk);

        let at = bus.emit(order(1, 25_000)).report();
        let above = bus.emit(order(2, 25_001)).report();

        assert_eq!((at.ran(), at.skipped()), (0, 1));
        assert_eq!((above.ran(), above.skipped()), (1, 0));
        assert_eq!(
            desk.told().to_string(),
            "customers who became loyal        0\n\
             orders above $250.00              1\n  \
               1997-01-02 customer 00004      $250.01     9 CDs\n",
        );
    }

    #[test]
    fn the_largest_orders_are_named_and_all_are_counted() {
        let desk = Arc::new(AlertDesk::default());
        let bus = bus(&desk);

        for (day, total) in (1..).zip([300, 700, 400, 600, 500, 800, 350]) {
            bus.emit(order(day, total * 100));
        }

        let told = desk.told();
        let named: Vec<_> = told.largest.iter().map(|order| order.total).collect();
        assert_eq!(told.large_orders, 7);
        assert_eq!(named, [800, 700, 600, 500, 400].map(Cents::dollars));
    }

    #[test]
    fn customers_who_became_loyal_are_counted() {
        let desk = Arc::new(AlertDesk::default());
        let bus = bus(&desk);

        for customer in 1..=3 {
            bus.emit(CustomerBecameLoyal {
                customer,
                date: order(1, 0).date,
            });
        }

        assert_eq!(desk.told().loyal_customers, 3);
    }
}
