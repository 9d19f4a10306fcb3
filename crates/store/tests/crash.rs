//! A process that is killed at a random moment loses no push whose open row was durable, and doubles none.
//!
//! The test runs its own binary as the process to be killed: it opens and closes pushes as fast as it can and writes down,
//! on its standard error, each push that it was allowed to announce (`live`) and each end that it had seen durable
//! (`ended`).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::*;
use model::{Clock, Code, PushId, SystemClock};
use store::{Recovery, check};

const FOLDER: &str = "STORE_CRASH_TEST_FOLDER";
const MODE: &str = "STORE_CRASH_TEST_MODE";
const ROUNDS: u64 = 12;

/// Not a test by itself: the process that the others kill.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let hold = std::env::var(MODE).is_ok_and(|mode| mode == "hold");
    let store = open(Path::new(&folder));
    store.recover().unwrap();
    std::io::stderr().write_all(format!("pid {}\n", std::process::id()).as_bytes()).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for worker in 0..50 {
            let journal = store.journal();
            tasks.push(tokio::spawn(async move {
                for round in 0..if hold { 6 } else { u64::MAX } {
                    let id = SystemClock.push_id();
                    let mut push = journal.open(open_row(id, &format!("s{worker}"))).unwrap();
                    if push.durable(Duration::from_secs(10)).await.is_err() {
                        std::process::exit(3);
                    }
                    say("live", id);
                    push.counters().bytes_in.store(1_000_000, std::sync::atomic::Ordering::Relaxed);
                    if hold {
                        std::mem::forget(push);
                        continue;
                    }
                    tokio::time::sleep(Duration::from_millis((worker * 7 + round) % 40)).await;
                    let mut tail = journal.subscribe();
                    let mut row = end(record(id, &format!("s{worker}"), Code::new(1, 0), SystemClock.now()));
                    row.evidence = vec![0x55; 2_000];
                    push.close(row);
                    while tail.recv().await.is_ok_and(|record| record.id != id) {}
                    say("ended", id);
                }
                tokio::time::sleep(Duration::from_secs(3_600)).await;
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// One write for each line, so that a kill leaves whole lines.
fn say(what: &str, id: PushId) {
    std::io::stderr().write_all(format!("{what} {id}\n").as_bytes()).unwrap();
}

struct Child(std::process::Child);

impl Child {
    fn start(folder: &Path, mode: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .env(MODE, mode)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Kills the process (SIGKILL); gives what it had said, the last word on each push.
    fn kill(mut self, log: impl Read) -> HashMap<PushId, bool> {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        let mut said = HashMap::new();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if let Some((what, id)) = line.split_once(' ')
                && let Ok(id) = id.parse()
            {
                said.insert(id, what == "ended");
            }
        }
        said
    }
}

#[test]
fn kills_under_churn_lose_no_push_and_double_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut said: HashMap<PushId, bool> = HashMap::new();
    let mut seed = SystemClock.now().millis().unsigned_abs();
    for _ in 0..ROUNDS {
        let mut child = Child::start(dir.path(), "churn");
        let log = child.0.stderr.take().unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Drained meanwhile, or the pipe fills and the child waits.
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = BufReader::new(log).read_to_end(&mut all);
            all
        });
        std::thread::sleep(Duration::from_millis(150 + (seed >> 33) % 900));
        child.0.kill().unwrap();
        said.extend(child.kill(&*reader.join().unwrap()));
    }
    let store = open(dir.path());
    store.recover().unwrap();
    let mut records: HashMap<PushId, Code> = HashMap::new();
    for record in all(&store.reader()) {
        assert_eq!(records.insert(record.id, record.code()), None, "{} is there twice", record.id);
    }
    assert!(said.len() > 500, "the children got too little done: {}", said.len());
    for (id, ended) in &said {
        let code = records.get(id);
        assert!(code.is_some(), "{id} was live and has no record");
        if *ended {
            assert_eq!(code, Some(&Code::new(1, 0)), "{id} had ended durably");
        }
    }
    // Nothing that was never asked for; a push may have been opened without the child having come to say so.
    assert!(records.values().all(|code| [Code::new(1, 0), Code::new(11, 0)].contains(code)));
    assert!(records.values().any(|code| *code == Code::new(11, 0)));
    store.shutdown().unwrap();
    assert_eq!(check(dir.path()).unwrap().problems, []);
}

#[test]
fn three_hundred_live_pushes_at_a_kill_are_three_hundred_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Child::start(dir.path(), "hold");
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut line = String::new();
    let mut live = 0;
    while live < 300 {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the child ended early");
        live += usize::from(line.starts_with("live"));
    }
    // Past a round of counter updates.
    std::thread::sleep(Duration::from_millis(6_200));
    let killed_at = SystemClock.now();
    child.kill(log);
    let store = open(dir.path());
    assert_eq!(store.recover().unwrap(), Recovery { died: 300, ..Recovery::default() });
    assert_eq!(store.recover().unwrap(), Recovery::default());
    let records = all(&store.reader());
    assert_eq!(records.len(), 300);
    for record in records {
        assert_eq!(record.code(), Code::new(11, 0));
        assert!(
            killed_at.since(record.ended_at) <= 2_000,
            "last seen {} ms ago",
            killed_at.since(record.ended_at)
        );
        assert_eq!(record.bytes_in, 1_000_000);
    }
}

/// What a trace of system calls says about one journal: how much of its WAL had been synced at each announced push.
struct Trace {
    /// Announced pushes, each with the length of the WAL that was on the disk for certain at that moment.
    live: Vec<(PushId, u64)>,
}

impl Trace {
    /// Reads the output of `strace -f -y -s 100 -e trace=fsync,fdatasync,pwrite64,write`.
    fn read(text: &str) -> Self {
        let (mut written, mut synced) = (0u64, 0u64);
        let mut pending: HashMap<&str, u64> = HashMap::new();
        let mut live = Vec::new();
        for line in text.lines() {
            let Some((pid, call)) = line.trim_start().split_once(' ') else { continue };
            let call = call.trim_start();
            if call.starts_with("pwrite64(") && call.contains("journal.db-wal>") {
                let arguments = call.split(") = ").next().unwrap().trim_end_matches(" <unfinished ...>");
                let mut numbers = arguments.rsplit(", ").map(|n| n.trim_end_matches(')').parse::<u64>());
                let (offset, length) = (numbers.next().unwrap().unwrap(), numbers.next().unwrap().unwrap());
                written = written.max(offset + length);
            } else if (call.starts_with("fsync(") || call.starts_with("fdatasync("))
                && call.contains("journal.db-wal>")
            {
                // What was written before the call began is on the disk when it has returned.
                match call.contains("<unfinished") {
                    true => drop(pending.insert(pid, written)),
                    false => synced = written,
                }
            } else if call.starts_with("<... fsync resumed") || call.starts_with("<... fdatasync resumed") {
                synced = synced.max(pending.remove(pid).unwrap_or(0));
            } else if let Some((_, said)) = call.split_once("\"live ") {
                live.push((said[..36].parse().unwrap(), synced));
            }
        }
        Self { live }
    }
}

#[test]
fn a_copy_of_the_store_as_last_synced_recovers_every_announced_push() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("trace"));
    let mut traced = Command::new("strace")
        .args([
            "-f",
            "-y",
            "-s",
            "100",
            "-e",
            "trace=fsync,fdatasync,pwrite64,write",
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, &data)
        .env(MODE, "hold")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(traced.stderr.take().unwrap()).lines();
    let mut pid = String::new();
    let mut live = 0;
    for line in said.by_ref().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("pid", id)) => id.clone_into(&mut pid),
            Some(("live", _)) => live += 1,
            _ => {}
        }
        if live == 300 {
            break;
        }
    }
    // The traced process itself: without it strace ends, but not the other way round.
    let killed = Command::new("kill").args(["-9", &pid]).status();
    assert!(pid.is_empty() || killed.unwrap().success());
    traced.wait().unwrap();
    if live < 300 {
        println!("skipped: processes cannot be traced here");
        return;
    }
    let trace = Trace::read(&std::fs::read_to_string(&log).unwrap());
    assert_eq!(trace.live.len(), 300);
    // Cuts the power right after the first, after the last, and after some announcements in between.
    for cut in [0, 1, 7, 50, 120, 200, 299] {
        let (_, synced) = trace.live[cut];
        let copy = dir.path().join(format!("cut-{cut}"));
        copy_as_crashed(&data, &copy);
        std::fs::OpenOptions::new()
            .write(true)
            .open(copy.join("journal.db-wal"))
            .unwrap()
            .set_len(synced)
            .unwrap();
        let store = open(&copy);
        store.recover().unwrap();
        let recovered: std::collections::HashSet<PushId> =
            all(&store.reader()).iter().map(|r| r.id).collect();
        for (id, _) in trace.live.iter().take(cut + 1) {
            assert!(recovered.contains(id), "{id} was announced, and is not in what had been synced by then");
        }
        assert!(recovered.len() < 300 || cut > 100, "the cut took nothing away, so it proves nothing");
    }
}
