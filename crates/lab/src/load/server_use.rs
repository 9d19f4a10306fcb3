//! What the server used while the load was measured, as the kernel tells.

use std::fs;
use std::time::Duration;

use serde::Serialize;

/// `/proc/PID/stat` counts in hundredths of a second on every architecture (USER_HZ).
const TICK: Duration = Duration::from_millis(10);
/// How often memory is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// CPU and memory of the server in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ServerUse {
    /// Its process.
    pub pid: u32,
    /// Cores that it kept busy, user and system time.
    pub cores: f64,
    /// Memory that was resident at the start of the window, KiB.
    pub first_kib: u64,
    /// The most in the window, KiB.
    pub most_kib: u64,
    /// At its end, KiB.
    pub last_kib: u64,
}

/// Looks at a process from time to time.
#[derive(Debug)]
pub(super) struct Observer {
    pid: u32,
    first: Option<Look>,
    last: Option<Look>,
    most_kib: u64,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: Duration,
    cpu: Duration,
    kib: u64,
}

impl Observer {
    pub(super) fn new(pid: u32) -> Self {
        Self { pid, first: None, last: None, most_kib: 0 }
    }

    /// Looks, if it is time to.
    pub(super) fn look(&mut self, now: Duration) {
        if self.last.is_none_or(|last| now.saturating_sub(last.at) >= EVERY) {
            self.look_now(now);
        }
    }

    fn look_now(&mut self, now: Duration) {
        let folder = format!("/proc/{}", self.pid);
        let read = |name| fs::read_to_string(format!("{folder}/{name}")).ok();
        // A server that has ended meanwhile shows in what was lost.
        let (Some(stat), Some(status)) = (read("stat"), read("status")) else { return };
        let (Some(cpu), Some(kib)) = (cpu(&stat), resident(&status)) else { return };
        let look = Look { at: now, cpu, kib };
        self.first.get_or_insert(look);
        self.most_kib = self.most_kib.max(kib);
        self.last = Some(look);
    }

    /// What was seen until `now`; `None` if the process was never there.
    pub(super) fn report(&mut self, now: Duration) -> Option<ServerUse> {
        self.look_now(now);
        let (first, last) = (self.first?, self.last?);
        let span = last.at.saturating_sub(first.at).as_secs_f64();
        let used = last.cpu.saturating_sub(first.cpu).as_secs_f64();
        Some(ServerUse {
            pid: self.pid,
            cores: if span > 0.0 { used / span } else { 0.0 },
            first_kib: first.kib,
            most_kib: self.most_kib,
            last_kib: last.kib,
        })
    }
}

/// User and system time (proc(5), fields 14 and 15).
fn cpu(stat: &str) -> Option<Duration> {
    // The program's name stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(TICK * user + TICK * system)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_read_whatever_the_program_is_called() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 4 0 100 0 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(4)));
        assert_eq!(resident("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t1\n"), Some(2048));
        assert_eq!((cpu("7 (a) S 1"), resident("Name:\tx\n")), (None, None));
    }

    #[test]
    fn this_process_is_seen_and_one_that_is_not_there_is_not() {
        let mut observer = Observer::new(std::process::id());
        observer.look(Duration::from_secs(1));
        let seen = observer.report(Duration::from_secs(3)).unwrap();
        assert!(seen.first_kib > 0 && seen.most_kib >= seen.last_kib.max(seen.first_kib), "{seen:?}");
        assert_eq!(Observer::new(u32::MAX).report(Duration::ZERO), None);
    }
}
