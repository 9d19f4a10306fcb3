//! A network namespace with one cable to this host.

use std::net::Ipv4Addr;
use std::process::{Command, id};
use std::sync::atomic::{AtomicU8, Ordering};

static NEXT: AtomicU8 = AtomicU8::new(0);

/// The namespace; it and its cable go with the value.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    cable: String,
    device: String,
    pub host: Ipv4Addr,
    pub client: Ipv4Addr,
}

impl Namespace {
    /// Makes one. Needs root.
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let tag = format!("{:x}{number:x}", id());
        let net = u8::try_from(id() % 250).unwrap();
        let address = |last| Ipv4Addr::new(10, 213, net.wrapping_add(number), last);
        let (host, client) = (address(1), address(2));
        let (name, cable, device) = (format!("lf{tag}"), format!("lfh{tag}"), format!("lfc{tag}"));
        let space = Self { name, cable, device, host, client };
        let (name, cable, far) = (&space.name, &space.cable, &space.device);
        ip(&["netns", "add", name]);
        ip(&["link", "add", cable, "type", "veth", "peer", "name", far]);
        ip(&["link", "set", far, "netns", name]);
        ip(&["addr", "add", &format!("{host}/24"), "dev", cable]);
        ip(&["link", "set", cable, "up"]);
        ip(&["-n", name, "addr", "add", &format!("{client}/24"), "dev", far]);
        ip(&["-n", name, "link", "set", far, "up"]);
        space
    }

    /// Arguments of `ip` that start a program in here.
    pub fn exec<'a>(&'a self, program: &'a str) -> [&'a str; 4] {
        ["netns", "exec", &self.name, program]
    }

    /// From now on nothing comes out or in, and nobody is told.
    pub fn black_hole(&self) {
        self.run(&["iptables", "-I", "INPUT", "-j", "DROP"]);
        self.run(&["iptables", "-I", "OUTPUT", "-j", "DROP"]);
    }

    /// From now on nothing comes out, and who sends something in is told that there is no such host.
    pub fn unreachable(&self) {
        self.run(&["iptables", "-I", "OUTPUT", "-p", "tcp", "-j", "DROP"]);
        self.run(&[
            "iptables",
            "-I",
            "INPUT",
            "-p",
            "tcp",
            "-j",
            "REJECT",
            "--reject-with",
            "icmp-host-unreachable",
        ]);
    }

    /// From now on nothing comes out, and who sends something in is reset, as by a router that was started anew.
    pub fn forgotten(&self) {
        self.run(&["iptables", "-I", "OUTPUT", "-p", "tcp", "!", "--tcp-flags", "RST", "RST", "-j", "DROP"]);
        self.run(&["iptables", "-I", "INPUT", "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"]);
    }

    /// From now on so much comes out a second, and the rest waits in a long queue.
    pub fn uplink(&self, rate: &str) {
        let device = &self.device;
        self.run(&[
            "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", rate, "burst", "4k", "latency", "3s",
        ]);
    }

    fn run(&self, words: &[&str]) {
        ip(&[&["netns", "exec", &self.name], words].concat());
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "del", &self.cable]).status();
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().unwrap();
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
