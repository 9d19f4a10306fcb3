//! The network between: a namespace whose only way to this host leads through a relay of the lab's own, which delays,
//! loses, queues, reorders, duplicates and swallows packets, in each direction for itself, as it is told meanwhile.

mod conditions;
mod dice;
mod pipe;
mod relay;
mod sys;

use std::net::Ipv4Addr;
use std::time::Duration;

pub use conditions::{Conditions, Rate};
pub use pipe::Pipe;
pub use relay::Path;

use super::{Tag, ip};
use crate::error::LabError;
use crate::process::run;
use relay::Relay;

/// Under way in each direction, unless told otherwise.
const USUAL_DELAY: Duration = Duration::from_millis(10);

/// A namespace behind such a network; it goes with the value.
#[derive(Debug)]
pub struct Between {
    name: String,
    far: String,
    /// The namespace's first address.
    pub client: Ipv4Addr,
    /// This host's address at its end.
    pub host: Ipv4Addr,
    relay: Option<Relay>,
}

impl Between {
    /// Makes one. Needs root.
    pub fn new() -> Result<Self, LabError> {
        let tag = Tag::new();
        let name = format!("lf{}", tag.name);
        let (near, far) = (format!("lh{}", tag.name), format!("lc{}", tag.name));
        let (host, client) = (tag.address(1), tag.address(2));
        ip(&["netns", "add", &name])?;
        // From here on dropping it takes away what has been made.
        let mut between = Self { name, far, client, host, relay: None };
        let usual = Conditions::delayed(USUAL_DELAY);
        let (outer, inner) = (device(&near)?, device(&between.far)?);
        between.relay = Some(Relay::start(inner, outer, Path { up: usual, down: usual })?);
        ip(&["link", "set", &between.far, "netns", &between.name])?;
        ip(&["addr", "add", &format!("{host}/32"), "dev", &near])?;
        ip(&["link", "set", &near, "up"])?;
        ip(&["route", "add", &format!("{}/30", tag.address(0)), "dev", &near])?;
        between.within(&["link", "set", "lo", "up"])?;
        between.within(&["link", "set", &between.far, "up"])?;
        between.take_address(client)?;
        Ok(between)
    }

    /// The command that starts a program in the namespace.
    pub fn under(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Runs a program in the namespace to its end.
    pub fn exec(&self, program: &[&str]) -> Result<(), LabError> {
        ip(&[&["netns", "exec", &self.name], program].concat())
    }

    /// What the path does now.
    pub fn path(&self) -> Path {
        self.relay.as_ref().map(Relay::path).unwrap_or_default()
    }

    /// Changes what the path does, from now on.
    pub fn change(&self, change: impl FnOnce(&mut Path)) {
        if let Some(relay) = &self.relay {
            relay.change(change);
        }
    }

    /// From now on everything is swallowed in both directions, or again passed on.
    pub fn black_hole(&self, on: bool) {
        self.change(|path| (path.up.black_hole, path.down.black_hole) = (on, on));
    }

    /// From now on what the client sends passes at this rate, through a queue of this length.
    pub fn limit_up(&self, kbps: u32, queue: Duration) {
        self.change(|path| path.up.rate = Some(Rate { kbps, queue }));
    }

    /// The client's device goes down, as when its cable is pulled, or up again.
    pub fn cable(&self, plugged: bool) -> Result<(), LabError> {
        self.within(&["link", "set", &self.far, if plugged { "up" } else { "down" }])?;
        if plugged { self.default_route(self.client) } else { Ok(()) }
    }

    /// The client changes to another address, as when it roams from one network to another.
    pub fn roam(&self) -> Result<(), LabError> {
        self.within(&["addr", "del", &format!("{}/32", self.client), "dev", &self.far])?;
        let [a, b, c, d] = self.client.octets();
        self.take_address(Ipv4Addr::new(a, b, c, d.wrapping_add(1)))
    }

    /// From now on what comes in to the client is answered in this way by `iptables`, such as `tcp-reset` or
    /// `icmp-host-unreachable`.
    pub fn reject_incoming(&self, with: &str) -> Result<(), LabError> {
        self.filter("INPUT", &["-p", "tcp", "-j", "REJECT", "--reject-with", with])
    }

    /// From now on nothing comes out of the client but ICMP.
    pub fn drop_outgoing_but_icmp(&self) -> Result<(), LabError> {
        self.filter("OUTPUT", &["!", "-p", "icmp", "-j", "DROP"])
    }

    /// From now on no datagram comes out of the client.
    pub fn drop_datagrams(&self) -> Result<(), LabError> {
        self.filter("OUTPUT", &["-p", "udp", "-j", "DROP"])
    }

    /// From now on whatever comes out of the client on a connection resets it at both ends.
    pub fn reset_outgoing(&self) -> Result<(), LabError> {
        self.filter("INPUT", &["-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"])?;
        self.filter("OUTPUT", &["-p", "tcp", "!", "--tcp-flags", "RST", "RST", "-j", "DROP"])
    }

    fn filter(&self, chain: &str, rule: &[&str]) -> Result<(), LabError> {
        self.exec(&[&["iptables", "-w", "-I", chain], rule].concat())
    }

    fn within(&self, args: &[&str]) -> Result<(), LabError> {
        ip(&[&["-n", &self.name], args].concat())
    }

    fn take_address(&self, address: Ipv4Addr) -> Result<(), LabError> {
        self.within(&["addr", "add", &format!("{address}/32"), "dev", &self.far])?;
        self.default_route(address)
    }

    fn default_route(&self, address: Ipv4Addr) -> Result<(), LabError> {
        self.within(&["route", "replace", "default", "dev", &self.far, "src", &address.to_string()])
    }
}

/// A TUN device, or why there is none.
fn device(name: &str) -> Result<std::fs::File, LabError> {
    sys::tun(name).map_err(|error| LabError::Program {
        program: format!("/dev/net/tun {name}"),
        what: error.to_string(),
    })
}

impl Drop for Between {
    fn drop(&mut self) {
        // The devices go with the relay.
        self.relay = None;
        let _ = run("ip", ["netns", "del", &self.name]);
    }
}
