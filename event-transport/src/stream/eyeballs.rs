//! Several addresses at once, as RFC 8305 has it: each gets a head start before the next one is tried as well.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

/// The families by turns, beginning with that of the first address; within a family the order is kept.
pub(super) fn interleave(addrs: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addrs.first().map(SocketAddr::is_ipv6);
    let of_first = |addr: &SocketAddr| Some(addr.is_ipv6()) == first;
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for addr in addrs {
        if of_first(&addr) {
            own.push(addr);
        } else {
            other.push(addr);
        }
    }
    let (mut own, mut other) = (own.into_iter(), other.into_iter());
    let mut turns = Vec::with_capacity(own.len() + other.len());
    loop {
        let (one, two) = (own.next(), other.next());
        if one.is_none() && two.is_none() {
            return turns;
        }
        turns.extend(one.into_iter().chain(two));
    }
}

/// The first connection that comes about. The next address is tried when the one before has failed, or `pause` has passed; the tries that are left
/// are given up. The errors are in the order of the addresses.
pub(super) async fn race<T, C, P>(
    addrs: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> C,
    pause: impl Fn() -> P,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    C: Future<Output = io::Result<T>>,
    P: Future<Output = ()>,
{
    let mut waiting = addrs.into_iter().enumerate();
    let mut tries: Vec<(usize, SocketAddr, Pin<Box<C>>)> = Vec::new();
    let mut errors = Vec::new();
    let mut head_start: Option<Pin<Box<P>>> = None;
    poll_fn(|cx| {
        loop {
            let mut has_failed = false;
            let mut place = 0;
            while let Some((number, addr, attempt)) = tries.get_mut(place) {
                match attempt.as_mut().poll(cx) {
                    Poll::Pending => place += 1,
                    Poll::Ready(Ok(connected)) => return Poll::Ready(Ok(connected)),
                    Poll::Ready(Err(error)) => {
                        errors.push((*number, *addr, error));
                        drop(tries.remove(place));
                        has_failed = true;
                    }
                }
            }
            if let Some(pause) = &mut head_start {
                if pause.as_mut().poll(cx).is_pending() && !has_failed {
                    return Poll::Pending;
                }
                head_start = None;
            }
            let Some((number, addr)) = waiting.next() else {
                if tries.is_empty() {
                    errors.sort_by_key(|(number, ..)| *number);
                    let errors = std::mem::take(&mut errors).into_iter();
                    return Poll::Ready(Err(errors
                        .map(|(_, addr, error)| (addr, error))
                        .collect()));
                }
                return Poll::Pending;
            };
            tries.push((number, addr, Box::pin(connect(addr))));
            head_start = Some(Box::pin(pause()));
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::net::SocketAddr;
    use std::time::Duration;

    use event_runtime::event_loop::EventLoop;

    use super::{interleave, race};

    const MS: Duration = Duration::from_millis(1);

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// Addresses by their ports, each with the milliseconds after which it fails or, if `port` is even, is connected. Gives the outcome, what
    /// was tried and when, and the time at the end.
    type Ran = (Result<u16, Vec<u16>>, Vec<(u16, Duration)>, Duration);

    fn run(ports: &[(u16, u32)]) -> Ran {
        let lp = EventLoop::virtual_time();
        let tried = RefCell::new(Vec::new());
        let addrs = ports
            .iter()
            .map(|(port, _)| addr(&format!("192.0.2.1:{port}")));
        let connect = |addr: SocketAddr| {
            tried.borrow_mut().push((addr.port(), lp.elapsed()));
            let takes = ports
                .iter()
                .find(|(port, _)| *port == addr.port())
                .unwrap()
                .1;
            let sleep = lp.sleep(takes * MS);
            async move {
                sleep.await;
                if addr.port() % 2 == 0 {
                    Ok(addr.port())
                } else {
                    Err(io::Error::from(io::ErrorKind::ConnectionRefused))
                }
            }
        };
        let addrs = addrs.collect();
        let ended = lp.run_until_complete(race(addrs, connect, || lp.sleep(250 * MS)));
        let ended = ended.unwrap();
        let ended = ended.map_err(|errors| errors.iter().map(|(addr, _)| addr.port()).collect());
        (ended, tried.take(), lp.elapsed())
    }

    #[test]
    fn ax28_families_take_turns_and_the_first_one_begins() {
        let six = ["[::1]:1", "[::1]:2", "[::1]:3"].map(addr);
        let four = ["127.0.0.1:1", "127.0.0.1:2"].map(addr);

        let turns = interleave([six.as_slice(), &four].concat());
        assert_eq!(turns, [six[0], four[0], six[1], four[1], six[2]]);
        let turns = interleave(vec![four[0], six[0], four[1]]);
        assert_eq!(turns, [four[0], six[0], four[1]]);
        assert_eq!(interleave(four.to_vec()), four);
        assert_eq!(interleave(vec![]), []);
    }

    #[test]
    fn ax28_the_next_address_is_tried_when_the_head_start_is_over() {
        let (ended, tried, at) = run(&[(1, 60_000), (2, 30), (4, 1)]);

        assert_eq!(ended, Ok(2));
        assert_eq!(tried, [(1, Duration::ZERO), (2, 250 * MS)]);
        assert_eq!(at, 280 * MS);
    }

    #[test]
    fn ax28_a_failure_ends_the_head_start() {
        let (ended, tried, at) = run(&[(1, 20), (3, 10), (2, 5)]);

        assert_eq!(ended, Ok(2));
        assert_eq!(tried, [(1, Duration::ZERO), (3, 20 * MS), (2, 30 * MS)]);
        assert_eq!(at, 35 * MS);
    }

    #[test]
    fn ax28_a_slow_address_may_win_against_later_ones() {
        let (ended, tried, at) = run(&[(2, 400), (4, 300)]);

        assert_eq!(ended, Ok(2));
        assert_eq!(tried, [(2, Duration::ZERO), (4, 250 * MS)]);
        assert_eq!(at, 400 * MS);
    }

    #[test]
    fn ax28_all_errors_are_kept_in_the_order_of_the_addresses() {
        let (ended, tried, at) = run(&[(1, 900), (3, 100), (5, 100)]);

        assert_eq!(ended, Err(vec![1, 3, 5]));
        assert_eq!(tried, [(1, Duration::ZERO), (3, 250 * MS), (5, 350 * MS)]);
        assert_eq!(at, 900 * MS);
    }
}
