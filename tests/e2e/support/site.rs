//! Machines for programs that must be cut off from each other: a network namespace each, all plugged into one bridge,
//! which is in a namespace of its own, and this host as one more of them.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::atomic::{AtomicU8, Ordering};

/// The last number of the address that this host has in there.
const HOST: u8 = 1;

static NEXT: AtomicU8 = AtomicU8::new(0);

/// The bridge. It goes with the value, and must outlive its machines.
#[derive(Debug)]
pub struct Site {
    name: String,
    uplink: String,
    net: [u8; 3],
    machines: AtomicU8,
}

impl Site {
    /// Makes one. Needs root.
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let tag = format!("{:x}{number:x}", id());
        let net = [10, 214, u8::try_from(id() % 250).unwrap().wrapping_add(number)];
        let site =
            Self { name: format!("lfs{tag}"), uplink: format!("lfu{tag}"), net, machines: AtomicU8::new(0) };
        let (name, uplink) = (&site.name, &site.uplink);
        ip(&["netns", "add", name]);
        ip(&["-n", name, "link", "add", "bridge", "type", "bridge"]);
        ip(&["-n", name, "link", "set", "bridge", "up"]);
        ip(&["link", "add", uplink, "type", "veth", "peer", "name", "host", "netns", name]);
        ip(&["-n", name, "link", "set", "host", "master", "bridge", "up"]);
        ip(&["addr", "add", &format!("{}/24", site.address(HOST)), "dev", uplink]);
        ip(&["link", "set", uplink, "up"]);
        site
    }

    /// A new machine, plugged in.
    pub fn machine(&self) -> Machine {
        let number = self.machines.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}m{number}", self.name);
        let machine = Machine { name, address: self.address(10 + number) };
        let (name, port) = (&machine.name, format!("port{number}"));
        ip(&["netns", "add", name]);
        ip(&["-n", &self.name, "link", "add", &port, "type", "veth", "peer", "name", "cable", "netns", name]);
        ip(&["-n", &self.name, "link", "set", &port, "master", "bridge", "up"]);
        ip(&["-n", name, "addr", "add", &format!("{}/24", machine.address), "dev", "cable"]);
        ip(&["-n", name, "link", "set", "cable", "up"]);
        ip(&["-n", name, "link", "set", "lo", "up"]);
        machine
    }

    fn address(&self, last: u8) -> Ipv4Addr {
        let [a, b, c] = self.net;
        Ipv4Addr::new(a, b, c, last)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "del", &self.uplink]).status();
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// One of its machines; it goes with the value.
#[derive(Debug)]
pub struct Machine {
    name: String,
    pub address: Ipv4Addr,
}

impl Machine {
    /// The file of its namespace.
    pub fn file(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    /// The command that starts a program in here, and becomes it.
    pub fn enter(&self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net={}", self.file().display())]
    }

    /// From now on nothing passes between this machine and another one, and nobody is told.
    pub fn cut(&self, other: &Self) {
        self.between("-I", other);
    }

    /// The link is whole again.
    pub fn mend(&self, other: &Self) {
        self.between("-D", other);
    }

    /// From now on nothing passes between a TCP port of a client on this host and this machine, and nobody is told.
    pub fn cut_off(&self, client_port: u16) {
        let [a, b, c, _] = self.address.octets();
        let (host, port) = (Ipv4Addr::new(a, b, c, HOST).to_string(), client_port.to_string());
        self.rule(&["-I", "INPUT", "-s", &host, "-p", "tcp", "--sport", &port]);
        self.rule(&["-I", "OUTPUT", "-d", &host, "-p", "tcp", "--dport", &port]);
    }

    /// The cable is pulled: the kernel of this machine knows it.
    pub fn unplug(&self) {
        ip(&["-n", &self.name, "link", "set", "cable", "down"]);
    }

    /// The cable is in again.
    pub fn plug(&self) {
        ip(&["-n", &self.name, "link", "set", "cable", "up"]);
    }

    fn between(&self, act: &str, other: &Self) {
        let other = other.address.to_string();
        self.rule(&[act, "INPUT", "-s", &other]);
        self.rule(&[act, "OUTPUT", "-d", &other]);
    }

    fn rule(&self, words: &[&str]) {
        // Several links of one machine may be cut at once.
        let head = ["netns", "exec", &self.name, "iptables", "-w", "10"];
        ip(&[&head, words, &["-j", "DROP"]].concat());
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
