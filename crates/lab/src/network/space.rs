//! A network namespace with one cable to this host.

use std::net::Ipv4Addr;

use super::{Tag, cable, ip};
use crate::error::LabError;
use crate::process::run;

/// The namespace; it and its cable go with the value.
#[derive(Debug)]
pub struct Space {
    name: String,
    near: String,
    far: String,
    /// This host's address on the cable.
    pub host: Ipv4Addr,
}

impl Space {
    /// Makes one. Needs root.
    pub fn new() -> Result<Self, LabError> {
        let tag = Tag::new();
        let (name, near, far) =
            (format!("lf{}", tag.name), format!("lh{}", tag.name), format!("lc{}", tag.name));
        ip(&["netns", "add", &name])?;
        // From here on dropping it takes away what has been made.
        let space = Self { name, near, far, host: tag.address(1) };
        cable((&space.near, None, tag.address(1)), (&space.far, Some(&space.name), tag.address(2)))?;
        Ok(space)
    }

    /// The command that starts a program in here.
    pub fn under(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Runs a program in here to its end.
    pub fn exec(&self, program: &[&str]) -> Result<(), LabError> {
        ip(&[&["netns", "exec", &self.name], program].concat())
    }

    /// From now on nothing comes out or in, and nobody is told.
    pub fn black_hole(&self) -> Result<(), LabError> {
        self.drop_outgoing()?;
        self.filter("INPUT", &["-j", "DROP"])
    }

    /// From now on nothing comes out.
    pub fn drop_outgoing(&self) -> Result<(), LabError> {
        self.filter("OUTPUT", &["-j", "DROP"])
    }

    /// From now on this share of what comes out is lost.
    pub fn lose_outgoing(&self, share: f64) -> Result<(), LabError> {
        let share = share.to_string();
        let rule = ["-m", "statistic", "--mode", "random", "--probability", &share, "-j", "DROP"];
        self.filter("OUTPUT", &rule)
    }

    /// From now on nothing comes in.
    pub fn drop_incoming(&self) -> Result<(), LabError> {
        self.filter("INPUT", &["-j", "DROP"])
    }

    /// From now on what comes in is answered with a reset, as a middlebox does.
    pub fn reset_incoming(&self) -> Result<(), LabError> {
        self.filter("INPUT", &["-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"])
    }

    /// From now on nothing comes out but the answer that this host cannot be reached.
    pub fn unreachable(&self) -> Result<(), LabError> {
        self.filter("OUTPUT", &["!", "-p", "icmp", "-j", "DROP"])?;
        self.filter("INPUT", &["-j", "REJECT", "--reject-with", "icmp-host-unreachable"])
    }

    /// From now on what comes out passes at this rate, kbit/s, through a queue of `queue_ms`.
    pub fn limit_rate(&self, kbps: u32, queue_ms: u32) -> Result<(), LabError> {
        let (rate, queue) = (format!("{kbps}kbit"), format!("{queue_ms}ms"));
        self.exec(&[
            "tc", "qdisc", "add", "dev", &self.far, "root", "tbf", "rate", &rate, "burst", "4kb", "latency",
            &queue,
        ])
    }

    fn filter(&self, chain: &str, rule: &[&str]) -> Result<(), LabError> {
        self.exec(&[&["iptables", "-w", "-I", chain], rule].concat())
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // The cable goes with either of its ends, but the kernel takes its time over a namespace.
        let _ = run("ip", ["link", "del", &self.near]);
        let _ = run("ip", ["netns", "del", &self.name]);
    }
}
