//! What the client has been told stands on the disk.

use std::process::Command;

use crate::support::clock::{PATIENCE, until};
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::setup::Setup;
use crate::support::signal;

#[test]
fn the_open_row_is_synced_before_publish_start_is_sent() {
    if !rights::has(&["strace"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let calls = "trace=fdatasync,fsync,sync_file_range,pwrite64,write,writev,sendto,sendmsg,recvfrom,read,readv,recvmsg";
    let strace = ["strace", "-D", "-f", "-y", "-s", "16384", "-e", calls, "-o", trace.to_str().unwrap()];
    let server = Setup::open().under(&strace).start();
    let streams = ["proven-once", "proven-twice", "proven-thrice"];
    for stream in streams {
        let mut push = Pusher::push(server.rtmp(), stream).unwrap();
        push.send_media(1_000).unwrap();
        push.delete_stream().unwrap();
    }
    until("three records", PATIENCE, || (server.records(&[]).len() == streams.len()).then_some(()));
    drop(server);

    let trace = until("the trace's end", PATIENCE, || {
        let text = std::fs::read_to_string(&trace).ok()?;
        text.contains("+++ killed").then_some(text)
    });
    let lines: Vec<&str> = trace.lines().collect();
    let mut from = 0;
    for stream in streams {
        let find = |from: usize, what: &str, is: &dyn Fn(&str) -> bool| {
            let found = lines[from..].iter().position(|line| is(line));
            from + found.unwrap_or_else(|| panic!("{stream}: no {what} after line {from} of the trace"))
        };
        let asked = find(from, "publish", &|line| {
            is_receive(line) && line.contains(stream) && line.contains("publish")
        });
        let written = find(asked, "open row", &|line| {
            line.contains("pwrite64(") && line.contains("journal.db-wal") && line.contains(stream)
        });
        let synced = synced_after(&lines, written).unwrap_or_else(|| panic!("{stream}: never synced"));
        let told =
            find(asked, "Publish.Start", &|line| is_send(line) && line.contains("NetStream.Publish.Start"));
        assert!(
            asked < written && written < synced && synced < told,
            "{stream}: asked {asked}, written {written}, synced {synced}, told {told}"
        );
        from = told + 1;
    }
}

#[test]
fn a_copy_of_the_data_folder_taken_from_a_running_server_knows_every_accepted_push() {
    let server = Setup::open().start();
    let pushes: Vec<_> = (0..20)
        .map(|i| {
            let mut push = Pusher::push(server.rtmp(), &format!("copied-{i}")).unwrap();
            push.send_media(1_000).unwrap();
            push
        })
        .collect();
    let copy = Setup::open();
    // Held still, so that the copy is of one moment, as after a power cut.
    signal::send_to(server.pid(), "STOP");
    let copied = Command::new("cp").arg("-a").arg(server.data()).arg(&copy.data).status();
    signal::send_to(server.pid(), "CONT");
    assert!(copied.unwrap().success());

    let restored = copy.start();
    let records = restored.records(&[]);
    assert_eq!(records.len(), 20, "{records:#?}");
    assert!(records.iter().all(|record| record.code().to_string() == "11/0"), "{records:#?}");
    for push in pushes {
        push.delete_stream().unwrap();
    }
    until("the ends at the first server", PATIENCE, || {
        (server.records(&["--code", "1/0"]).len() == 20).then_some(())
    });
}

fn is_receive(line: &str) -> bool {
    let calls = ["recvfrom(", "read(", "readv(", "recvmsg("];
    calls.iter().any(|call| line.contains(call)) && is_socket(line)
        || line.contains("recvfrom resumed>")
        || line.contains("readv resumed>")
}

fn is_send(line: &str) -> bool {
    ["sendto(", "write(", "writev(", "sendmsg("].iter().any(|call| line.contains(call)) && is_socket(line)
}

/// The black box quotes commands too, and goes into a file.
fn is_socket(line: &str) -> bool {
    line.contains("<socket:[") || line.contains("<TCP:[")
}

/// The line on which a sync of the journal that was begun after `written` returns.
fn synced_after(lines: &[&str], written: usize) -> Option<usize> {
    let begun = lines[written..].iter().position(|line| {
        (line.contains("fdatasync(") || line.contains("fsync(")) && line.contains("journal.db-wal")
    })? + written;
    let line = lines[begun];
    if !line.contains("<unfinished") {
        return line.ends_with("= 0").then_some(begun);
    }
    // Its end stands on a line of the same thread's.
    let thread = line.split(' ').next()?;
    let ended =
        |line: &&str| line.starts_with(thread) && line.contains("sync resumed>") && line.ends_with("= 0");
    Some(lines[begun..].iter().position(ended)? + begun)
}
