//! Datagram endpoints over UDP.

#[path = "support/datagrams.rs"]
mod datagrams;
mod support;

use std::cell::Cell;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use datagrams::{Count, Echo, addr, witness};
use support::{Log, Silent, failures, pause, run};
use tidings::transport::{
    ConnectionMade, DatagramAddr, DatagramTransport, ErrorReceived, LOCAL_ADDR, PEER_ADDR,
    SendError, TransportErrorKind, WriteState, endpoint, endpoint_with, udp,
};
use tidings::{EventLoop, protocol};

#[test]
fn au1_each_datagram_arrives_whole_and_alone_with_its_sender() {
    let lp = EventLoop::new().unwrap();
    let (one, two) = (Log::default(), Log::default());
    run(&lp, async {
        let a = witness(&lp, udp("127.0.0.1:0"), &one).await?;
        let b = witness(&lp, udp("127.0.0.1:0"), &two).await?;
        let largest = "x".repeat(65_507);
        for data in ["one", "", "three", largest.as_str()] {
            assert_eq!(a.send_to(data.to_owned(), addr(&b))?, WriteState::Sent);
            two.wait(&lp, &format!("data {data}")).await;
        }
        assert_eq!(two.take().len(), 5, "made and four datagrams");
        assert_eq!(one.take(), ["made"]);
        Ok(())
    });
}

#[test]
fn au1_an_answer_goes_to_the_address_that_a_datagram_came_from() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (echo, _) = endpoint::<Echo>(&lp, udp("127.0.0.1:0")).await?;
        let t = witness(&lp, udp("127.0.0.1:0"), &log).await?;
        t.send_to("hello", addr(&echo))?;
        log.wait(&lp, "data hello").await;
        Ok(())
    });
}

#[test]
fn au2_nobody_at_the_address_is_an_error_and_the_endpoint_stays() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let told = failures(&lp);
    run(&lp, async {
        let gone = UdpSocket::bind("127.0.0.1:0")?;
        let there = gone.local_addr()?;
        drop(gone);
        let t = witness(&lp, udp("127.0.0.1:0").connected(there), &log).await?;
        t.send("anybody?")?;
        while log.len() < 2 {
            pause(&lp).await;
        }
        let heard = log.take();
        assert!(
            heard[1].starts_with("error Connection refused"),
            "{heard:?}"
        );
        // Somebody moves in, and the same endpoint is heard.
        let peer = UdpSocket::bind(there)?;
        peer.set_read_timeout(Some(Duration::from_secs(60)))?;
        t.send("and now?")?;
        let mut buffer = [0; 100];
        let (size, from) = peer.recv_from(&mut buffer)?;
        assert_eq!(&buffer[..size], b"and now?");
        peer.send_to(b"yes", from)?;
        log.wait(&lp, "data yes").await;
        assert!(!t.is_closing());
        Ok(())
    });
    assert_eq!(
        told.len(),
        0,
        "what the operating system says is no failure"
    );
}

#[test]
fn au2_what_the_operating_system_refuses_is_told_when_the_instance_is_free() {
    /// Sends to where it may not, from inside of a listener.
    struct Bold(Log);

    #[protocol]
    impl Bold {
        #[listener]
        fn made(&mut self, _: &ConnectionMade, t: &DatagramTransport) -> Result<(), SendError> {
            let broadcast = SocketAddr::from(([255, 255, 255, 255], 9));
            for text in ["first", "second one"] {
                let state = t.send_to(text, DatagramAddr::from(broadcast))?;
                self.0.add(format!("{state:?}"));
            }
            Ok(())
        }

        #[listener]
        fn error(&mut self, e: &ErrorReceived) {
            self.0.add(e.error.to_string());
        }
    }

    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let own = log.clone();
    run(&lp, async {
        let at = udp("127.0.0.1:0");
        let (t, _) = endpoint_with(&lp, at, move || Bold(own)).await?;
        let why = "to 255.255.255.255:9 was not sent: Permission denied (os error 13); to send to a broadcast address open it with `.allow_broadcast()`";
        let second = format!("a datagram of 10 bytes {why}");
        log.wait(&lp, &second).await;
        assert_eq!(
            log.take(),
            [
                "Sent".to_owned(),
                "Buffered".to_owned(),
                format!("a datagram of 5 bytes {why}"),
                second,
            ]
        );
        assert_eq!(t.write_buffer_size(), 0);
        assert!(!t.is_closing());
        Ok(())
    });
}

#[test]
fn au4_a_connected_endpoint_sends_to_its_peer_alone_and_hears_nobody_else() {
    let lp = EventLoop::new().unwrap();
    let (log, quiet) = (Log::default(), Log::default());
    run(&lp, async {
        let (echo, _) = endpoint::<Echo>(&lp, udp("127.0.0.1:0")).await?;
        let other = witness(&lp, udp("127.0.0.1:0"), &quiet).await?;
        let peer = echo.info(LOCAL_ADDR).expect("UDP has an address");
        let t = witness(&lp, udp("127.0.0.1:0").connected(peer), &log).await?;
        assert_eq!(t.info(PEER_ADDR), Some(peer));
        assert_eq!(t.info_str("peername", "nobody"), peer.to_string());

        let refused = t.send_to("x", addr(&other)).unwrap_err();
        assert!(matches!(refused, SendError::NotThePeer { .. }));
        let text = refused.to_string();
        assert!(text.contains(&peer.to_string()), "{text}");
        assert!(text.contains(&addr(&other).to_string()), "{text}");

        other.send_to("from elsewhere", addr(&t))?;
        t.send("absent")?;
        t.send_to("the same", addr(&echo))?;
        log.wait(&lp, "data the same").await;
        assert_eq!(log.take(), ["made", "data absent", "data the same"]);

        assert_eq!(other.send("x"), Err(SendError::NoAddress));
        Ok(())
    });
}

#[test]
fn a_datagram_that_is_too_large_is_refused_with_its_size() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let t = witness(&lp, udp("127.0.0.1:0"), &log).await?;
        let to = addr(&t);
        let refused = t.send_to(vec![0; 65_508], to).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a datagram of 65508 bytes is too large: this endpoint sends at most 65507"
        );
        Ok(())
    });
}

#[test]
fn an_address_that_is_in_use_is_an_error_that_names_it() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let taken = UdpSocket::bind("127.0.0.1:0")?;
        let there = taken.local_addr()?;
        let error = endpoint::<Silent>(&lp, udp(there)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Bind);
        let text = error.to_string();
        assert!(text.contains(&there.to_string()), "{text}");
        assert!(text.contains("in use"), "{text}");
        Ok(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn endpoints_that_share_a_port_have_the_same_address() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (one, _) = endpoint::<Silent>(&lp, udp("127.0.0.1:0").reuse_port()).await?;
        let there = one.info(LOCAL_ADDR).expect("UDP has an address");
        let (two, _) = endpoint::<Silent>(&lp, udp(there).reuse_port()).await?;
        assert_eq!(two.info(LOCAL_ADDR), Some(there));
        Ok(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn au7_an_endpoint_that_may_sends_to_the_broadcast_address() {
    let lp = EventLoop::new().unwrap();
    let (log, peers) = (Log::default(), Log::default());
    run(&lp, async {
        let receiver = witness(&lp, udp("0.0.0.0:0"), &peers).await?;
        let port = receiver
            .info(LOCAL_ADDR)
            .expect("UDP has an address")
            .port();
        let to = SocketAddr::from(([127, 255, 255, 255], port));
        let t = witness(&lp, udp("127.0.0.1:0").allow_broadcast(), &log).await?;
        t.send_to("everybody", DatagramAddr::from(to))?;
        peers.wait(&lp, "data everybody").await;
        assert_eq!(log.take(), ["made"]);
        Ok(())
    });
}

/// Whether a datagram to this group comes back on this machine, as sockets of the standard library see it.
fn has_multicast(group: Ipv4Addr) -> std::io::Result<()> {
    let receiver = UdpSocket::bind("0.0.0.0:0")?;
    receiver.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)?;
    receiver.set_read_timeout(Some(Duration::from_secs(1)))?;
    let to = (group, receiver.local_addr()?.port());
    UdpSocket::bind("0.0.0.0:0")?.send_to(b"x", to)?;
    receiver.recv(&mut [0; 10]).map(drop)
}

#[test]
fn what_the_operating_system_refuses_is_told_to_the_hook_if_no_listener_hears_it() {
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let (t, _) = endpoint::<Silent>(&lp, udp("127.0.0.1:0")).await?;
        t.send_to("x", SocketAddr::from(([255, 255, 255, 255], 9)))?;
        assert_eq!(told.len(), 1);
        Ok(())
    });
    let told = told.take();
    assert!(told[0].contains(".allow_broadcast()"), "{told:?}");
}

#[test]
fn au4_an_address_of_another_version_is_refused() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (t, _) = endpoint::<Silent>(&lp, udp("127.0.0.1:0")).await?;
        let to = SocketAddr::from((Ipv6Addr::LOCALHOST, 9));
        let refused = t.send_to("x", to).unwrap_err();
        assert_eq!(refused, SendError::WrongAddress(to.into()));
        Ok(())
    });
}

#[test]
fn what_is_sent_to_a_group_is_received_by_those_who_joined_it() {
    let group = Ipv4Addr::new(239, 255, 41, 7);
    if let Err(error) = has_multicast(group) {
        eprintln!("multicast is skipped: this machine has none: {error}");
        return;
    }
    let lp = EventLoop::new().unwrap();
    let (log, sender) = (Log::default(), Log::default());
    run(&lp, async {
        let joined = witness(&lp, udp("0.0.0.0:0").join(group.into()), &log).await?;
        let port = joined.info(LOCAL_ADDR).expect("UDP has an address").port();
        let t = witness(&lp, udp("0.0.0.0:0"), &sender).await?;
        t.send_to("everybody", SocketAddr::from((group, port)))?;
        log.wait(&lp, "data everybody").await;
        Ok(())
    });
}

#[test]
fn a_burst_arrives_but_for_what_the_operating_system_drops_and_others_have_their_turn() {
    const BURST: usize = 10_000;
    let lp = EventLoop::new().unwrap();
    let count = Rc::new(Cell::new(0));
    run(&lp, async {
        let own = Rc::clone(&count);
        let (receiver, _) = endpoint_with(&lp, udp("127.0.0.1:0"), move || Count(own)).await?;
        let there = receiver.info(LOCAL_ADDR).expect("UDP has an address");
        let sender = std::thread::spawn(move || {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            for number in 0..BURST {
                socket.send_to(&number.to_be_bytes(), there)?;
            }
            Ok::<_, std::io::Error>(())
        });
        // The loop goes on while the flood is received.
        let mut turns = 0;
        while !sender.is_finished() {
            pause(&lp).await;
            turns += 1;
        }
        sender.join().expect("no panic")?;
        // What arrived before is received before this.
        let (last, _) = endpoint::<Silent>(&lp, udp("127.0.0.1:0").connected(there)).await?;
        let mut settled = count.get();
        loop {
            last.send("")?;
            pause(&lp).await;
            if count.get() == settled + 1 {
                break;
            }
            settled = count.get();
        }
        let (heard, dropped) = (count.get(), BURST.saturating_sub(count.get()));
        println!("{heard} received, {dropped} dropped by the operating system, {turns} turns");
        assert!(heard > 0 && turns > 0);
        Ok(())
    });
}
