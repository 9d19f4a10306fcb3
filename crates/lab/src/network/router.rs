//! A namespace behind a router that translates addresses.

use std::net::Ipv4Addr;

use super::{Tag, cable, ip};
use crate::error::LabError;
use crate::process::run;

/// Client, router, and this host, in a row. All of it goes with the value.
#[derive(Debug)]
pub struct Router {
    client: String,
    router: String,
    near: String,
    /// This host's address on the cable to the router.
    pub host: Ipv4Addr,
}

impl Router {
    /// Makes them. Needs root.
    pub fn new() -> Result<Self, LabError> {
        let (inner, outer) = (Tag::new(), Tag::new());
        let name = |kind: &str, tag: &Tag| format!("{kind}{}", tag.name);
        let (client, router, near) = (name("lf", &inner), name("lf", &outer), name("lh", &outer));
        ip(&["netns", "add", &client])?;
        // From here on dropping it takes away what has been made.
        let network = Self { client, router, near, host: outer.address(1) };
        ip(&["netns", "add", &network.router])?;
        let (outside, inside, end) = (name("lc", &outer), name("lr", &inner), name("lc", &inner));
        let (client, router) = (Some(network.client.as_str()), Some(network.router.as_str()));
        cable((&network.near, None, outer.address(1)), (&outside, router, outer.address(2)))?;
        cable((&inside, router, inner.address(1)), (&end, client, inner.address(2)))?;
        ip(&["-n", &network.client, "route", "add", "default", "via", &inner.address(1).to_string()])?;
        network.exec(&["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])?;
        // Otherwise the router takes a connection in mid-flight for a new one, and remembers it again.
        network.exec(&["sysctl", "-q", "-w", "net.netfilter.nf_conntrack_tcp_loose=0"])?;
        network.exec(&[
            "iptables",
            "-w",
            "-t",
            "nat",
            "-A",
            "POSTROUTING",
            "-o",
            &outside,
            "-j",
            "MASQUERADE",
        ])?;
        network.exec(&[
            "iptables",
            "-w",
            "-A",
            "FORWARD",
            "-m",
            "conntrack",
            "--ctstate",
            "INVALID",
            "-j",
            "DROP",
        ])?;
        Ok(network)
    }

    /// The command that starts a program at the client's end.
    pub fn under(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.client]
    }

    /// The router forgets every connection, as one that is started anew.
    pub fn forget(&self) -> Result<(), LabError> {
        self.exec(&["conntrack", "-F"])
    }

    fn exec(&self, program: &[&str]) -> Result<(), LabError> {
        ip(&[&["netns", "exec", &self.router], program].concat())
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = run("ip", ["link", "del", &self.near]);
        for space in [&self.client, &self.router] {
            let _ = run("ip", ["netns", "del", space]);
        }
    }
}
