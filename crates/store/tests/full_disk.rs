//! A full disk: live pushes go on and end on record, new ones are refused, and all is written when there is room again.
//!
//! Needs to mount a small tmpfs, so it does its work only as root; otherwise it says that it was skipped.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::*;
use model::{Clock, Code, SystemClock};
use store::{JournalError, check};

/// A tmpfs, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={size},mode=700");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        match done {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            _ => {
                println!("skipped: a tmpfs can be mounted by root only");
                None
            }
        }
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while std::io::Write::write_all(&mut file, &vec![1; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn live_pushes_end_on_record_and_new_ones_wait_for_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&dir.path().join("disk"), "24m") else { return };
    let data = disk.0.join("data");
    let mut config = config(&data);
    config.reserve_bytes = 4 << 20;
    let store = open_with(config.clone());
    let journal = store.journal();
    let mut live = Vec::new();
    for n in 0..400 {
        let id = SystemClock.push_id();
        let mut push = journal.open(open_row(id, &format!("s{n}"))).unwrap();
        push.durable(Duration::from_secs(5)).await.unwrap();
        live.push((id, push));
    }
    let ids: Vec<_> = live.iter().map(|(id, _)| *id).collect();
    disk.fill();

    // The heartbeat notices by itself.
    wait_until("admission is closed", || !journal.writable());
    assert_eq!(journal.open(open_row(SystemClock.push_id(), "new")).err(), Some(JournalError::DiskFull));
    let mut refused = 0;
    for n in 0..2_000 {
        journal
            .refuse(end(record(
                SystemClock.push_id(),
                &format!("r{}", n % 50),
                Code::new(18, 103),
                SystemClock.now(),
            )))
            .await;
        refused += 1;
    }
    // Half of them end while the disk is full: the reserve makes room for them.
    let rest = live.split_off(200);
    for (id, push) in live {
        push.close(end(record(id, "ended", Code::new(1, 0), SystemClock.now())));
    }
    let reader = store.reader();
    wait_until("the ends are on record although the disk is full", || {
        ids.iter().take(200).all(|id| reader.get(*id).is_ok_and(|found| found.is_some()))
    });
    assert!(!journal.writable(), "the reserve is spent, so nobody new is let in");
    assert!(journal.stats().failed_batches > 0);

    // Full again, without a reserve: ends wait in memory.
    disk.fill();
    for (id, push) in rest {
        push.close(end(record(id, "ended", Code::new(1, 0), SystemClock.now())));
    }
    std::thread::sleep(Duration::from_millis(1_500));
    disk.make_room();
    wait_until("admission is open again", || journal.writable());
    wait_until("all ends are on record", || ids.iter().all(|id| reader.get(*id).unwrap().is_some()));
    let mut push = journal.open(open_row(SystemClock.push_id(), "after")).unwrap();
    push.durable(Duration::from_secs(5)).await.unwrap();
    push.close(end(record(SystemClock.push_id(), "after", Code::new(1, 0), SystemClock.now())));
    store.shutdown().unwrap();

    let records = all(&store::Reader::open_dir(&data).unwrap());
    let closed = records.iter().filter(|r| r.code() == Code::new(1, 0)).count();
    assert_eq!(closed, 401);
    let refusals: Vec<_> = records.iter().filter(|r| r.code() == Code::new(18, 103)).collect();
    assert_eq!(refusals.iter().map(|r| r.attempts).sum::<u64>(), refused);
    assert!(refusals.len() <= 50, "they waited folded: {}", refusals.len());
    assert_eq!(check(&data).unwrap().problems, []);
}

#[tokio::test]
async fn a_store_opens_on_a_full_disk_with_admission_closed() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&dir.path().join("disk"), "8m") else { return };
    let data = disk.0.join("data");
    let first = open(&data);
    let mut push = first.journal().open(open_row(SystemClock.push_id(), "s")).unwrap();
    push.durable(Duration::from_secs(5)).await.unwrap();
    let crashed = disk.0.join("crashed");
    copy_as_crashed(&data, &crashed);
    disk.fill();

    let lock = store::DataLock::take(&crashed).unwrap();
    let store = store::Store::open(lock, config(&crashed), std::sync::Arc::new(SystemClock)).unwrap();
    assert!(!store.journal().writable());
    assert!(store.recover().is_err());
    disk.make_room();
    wait_until("admission is open", || store.journal().writable());
    wait_until("recovery is made up for", || all(&store.reader()).len() == 1);
    assert_eq!(all(&store.reader())[0].code(), Code::new(11, 0));
    assert!(store.catalog().load().is_ok());
}
