//! The disk is full.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::support::clock::{PATIENCE, now, until};
use crate::support::fleet::Fleet;
use crate::support::pusher::{NotLive, Pusher, Told};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::Setup;

#[test]
fn live_pushes_go_on_new_ones_are_refused_and_the_ends_are_written_when_there_is_room_again() {
    if !rights::has_as_root(&["mount", "umount"]) {
        return;
    }
    let disk = SmallDisk::mount("24m");
    let setup = Setup::open().config("[store]\nreserve = \"2MiB\"\n");
    let server = setup.data(&disk.path().join("data")).start();
    let fleet = Fleet::publish(server.rtmp(), "goes-on", 3);
    server.wait_for_pushes(3);
    let filler = disk.fill();

    let told = refused(&server, &filler);
    assert!(told.text.starts_with("[18/103]"), "{told:?}");
    let ready = crate::support::http::request(server.http(), "GET", "/readyz", &[], &[]).unwrap();
    assert_eq!(ready.status, 503, "{}", ready.text());
    filler.top_up();
    sleep(Duration::from_secs(3));
    server.wait_for_pushes(3);

    fleet.leave();
    server.wait_for_pushes(0);
    sleep(Duration::from_secs(1));
    filler.remove();
    let ends = until("the ends", PATIENCE, || {
        let ends = server.records(&["--stream", "goes-on", "--fuzzy"]);
        (ends.len() == 3).then_some(ends)
    });
    assert!(ends.iter().all(|record| record.code().to_string() == "1/0"), "{ends:#?}");
    until("the refusal", PATIENCE, || (!server.records(&["--code", "18/103"]).is_empty()).then_some(()));
    until("admission to be open again", PATIENCE, || {
        let push = Pusher::push(server.rtmp(), "room-again");
        push.ok().map(|push| push.delete_stream().unwrap())
    });
    until("its end", PATIENCE, || {
        (!server.records(&["--stream", "room-again", "--code", "1/0"]).is_empty()).then_some(())
    });
}

/// Pushes until one is refused.
fn refused(server: &Server, filler: &Filler) -> Told {
    let started = now();
    for number in 0.. {
        filler.top_up();
        match Pusher::push(server.rtmp(), &format!("comes-{number}")) {
            Ok(push) => drop(push.delete_stream().unwrap()),
            Err(NotLive::Refused(told)) => return told,
            Err(NotLive::Lost(error)) => panic!("lost without a word: {error}"),
        }
        assert!(started.elapsed() < PATIENCE * 2, "{number} pushes were let in on a full disk");
    }
    unreachable!("the numbers do not end")
}

/// A file system in memory; it goes with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).status();
        assert!(status.unwrap().success(), "mount");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) -> Filler {
        let filler = Filler(self.path().join("filler"));
        filler.top_up();
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// A file that takes all the room there is.
struct Filler(std::path::PathBuf);

impl Filler {
    fn top_up(&self) {
        let mut file = File::options().create(true).append(true).open(&self.0).unwrap();
        while file.write(&[0; 4096]).is_ok_and(|count| count > 0) {}
    }

    fn remove(&self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}
