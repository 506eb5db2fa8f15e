use std::io;

use shop_events::{CustomerBecameLoyal, Page, Purchased, ReportRequested};
use tidings::listener;

use crate::LoyaltyClub;

#[listener]
fn count_purchase(purchase: &Purchased, club: &LoyaltyClub) -> Option<CustomerBecameLoyal> {
    let decided = club.purchases().add(purchase.customer);
    decided.then_some(CustomerBecameLoyal {
        customer: purchase.customer,
        date: purchase.date,
    })
}

#[listener]
fn write_club(_: &ReportRequested, club: &LoyaltyClub, page: &Page) -> io::Result<()> {
    page.section("Loyalty club", &*club.purchases())
}

#[cfg(test)]
mod tests {
    use shop_events::{Cents, CustomerBecameLoyal, Date, Purchased};

    use super::count_purchase;
    use crate::LoyaltyClub;

    fn purchase(customer: u32, day: u8) -> Purchased {
        Purchased {
            customer,
            date: Date::new(1997, 1, day).expect("the day exists because January has 31 days"),
            cds: 1,
            total: Cents::dollars(12),
        }
    }

    #[test]
    fn the_fifth_purchase_decides_and_only_once() {
        let club = LoyaltyClub::default();

        let answers: Vec<_> = (1..=7)
            .map(|day| count_purchase(&purchase(4, day), &club))
            .collect();

        let mut expected = vec![None; 7];
        expected[4] = Some(CustomerBecameLoyal {
            customer: 4,
            date: purchase(4, 5).date,
        });
        assert_eq!(answers, expected);
    }

    #[test]
    fn customers_are_counted_apart() {
        let club = LoyaltyClub::default();

        let announced = (1..=4)
            .flat_map(|day| [purchase(4, day), purchase(9, day)])
            .filter_map(|purchase| count_purchase(&purchase, &club))
            .count();

        assert_eq!(announced, 0);
        assert!(count_purchase(&purchase(9, 5), &club).is_some());
        assert_eq!(
            club.purchases().to_string(),
            "loyal customers        1 (50.0 % of all)\ntheir purchases        5\n",
        );
    }
}
