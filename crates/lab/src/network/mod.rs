//! Networks of the lab's own: a namespace with a relay between it and this host, or with a router.

mod between;
mod router;

pub use between::{Between, Conditions, Path, Pipe, Rate};
pub use router::Router;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::LabError;
use crate::process::run;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Names and addresses that nobody else on this host uses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    name: String,
    net: u16,
}

impl Tag {
    fn new() -> Self {
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // Of 16384 networks of four addresses, those of one process lie side by side.
        let net = process.wrapping_mul(61).wrapping_add(number) % 16_384;
        Self { name: format!("{process:x}-{number:x}"), net: u16::try_from(net).unwrap_or_default() }
    }

    /// One of the four addresses of the network: 0 to 3.
    fn address(&self, host: u8) -> Ipv4Addr {
        let [high, low] = self.net.wrapping_mul(4).to_be_bytes();
        Ipv4Addr::new(10, 213, high, low.wrapping_add(host))
    }
}

fn ip(args: &[&str]) -> Result<(), LabError> {
    run("ip", args)
}

/// A cable between two ends, each in a namespace or on this host.
fn cable(from: (&str, Option<&str>, Ipv4Addr), to: (&str, Option<&str>, Ipv4Addr)) -> Result<(), LabError> {
    ip(&["link", "add", from.0, "type", "veth", "peer", "name", to.0])?;
    for (end, space, address) in [from, to] {
        let within = match space {
            Some(space) => {
                ip(&["link", "set", end, "netns", space])?;
                vec!["-n", space]
            }
            None => Vec::new(),
        };
        let address = format!("{address}/30");
        ip(&[&within[..], &["addr", "add", &address, "dev", end]].concat())?;
        ip(&[&within[..], &["link", "set", end, "up"]].concat())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_kernel_and_networks_do_not_overlap() {
        let (a, b) = (Tag::new(), Tag::new());
        assert_ne!(a, b);
        assert!(format!("lfr{}", a.name).len() <= 15 - 2, "{}", a.name);
        let last = Tag { name: String::new(), net: 16_383 };
        assert_eq!(last.address(2), Ipv4Addr::new(10, 213, 255, 254));
        assert_eq!(Tag { name: String::new(), net: 1 }.address(1), Ipv4Addr::new(10, 213, 0, 5));
    }
}
