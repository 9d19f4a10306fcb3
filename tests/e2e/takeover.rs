//! Two pushes of one stream key.

use std::net::Ipv4Addr;

use crate::support::clock::{PATIENCE, until};
use crate::support::pusher::{NotLive, Pusher};
use crate::support::setup::{DOMAIN, Setup};

const BACKUP: &str = r#"
[[domain]]
name = "backup.test"
account = 7
auth = false
conflict = "backup"
"#;

#[test]
fn the_newcomer_takes_over_and_the_old_push_is_told() {
    let server = Setup::open().start();
    let mut old = Pusher::push(server.rtmp(), "contested").unwrap();
    let new = old.sending(|| {
        until("its media", PATIENCE, || {
            let pushes = server.get("/api/v1/pushes");
            (pushes["pushes"][0]["bytes_in"].as_u64()? > 4_000).then_some(())
        });
        Pusher::push(server.rtmp(), "contested").unwrap()
    });
    let told = old.wait_for_cut();
    assert!(told.text.starts_with("[21/102]"), "{told:?}");
    new.delete_stream().unwrap();
    assert_eq!(server.codes("contested", 2), ["1/0", "21/102"]);
    let records = server.records_of("contested", 2);
    let replaced = records.iter().find(|record| record.sub_errcode == 102).unwrap();
    assert_eq!(replaced.detail.as_ref().expect("a detail").key, "replaced_by");
}

#[test]
fn a_push_without_media_is_taken_over_as_empty() {
    let server = Setup::open().start();
    let mut old = Pusher::push(server.rtmp(), "empty").unwrap();
    let new = Pusher::push(server.rtmp(), "empty").unwrap();
    let told = old.wait_for_cut();
    assert!(told.text.starts_with("[21/103]"), "{told:?}");
    new.delete_stream().unwrap();
    assert_eq!(server.codes("empty", 2), ["1/0", "21/103"]);
}

#[test]
fn two_encoders_that_take_over_from_each_other_for_ever_are_stopped() {
    let server = Setup::open().start();
    let push = |turn: u8| {
        let from = Ipv4Addr::new(127, 0, 0, 2 + turn % 2);
        let mut push = Pusher::open_from(from, server.rtmp()).unwrap().ready(DOMAIN, "live").unwrap();
        push.publish("duel").map(|()| push)
    };
    let mut live: Option<Pusher> = None;
    let refused = (0..5).find_map(|turn| match push(turn) {
        Ok(mut new) => {
            new.send_media(1_000).unwrap();
            // The next one must find a push that sends media.
            until("its media", PATIENCE, || {
                let pushes = server.get("/api/v1/pushes");
                let mine = pushes["pushes"].as_array()?.iter().find(|push| push["role"] == "live")?;
                (mine["bytes_in"].as_u64()? > 4_000).then_some(())
            });
            // What was seen took its time, and a push without media for three seconds is replaced as empty.
            new.send_media(1_000).unwrap();
            live = Some(new);
            None
        }
        Err(NotLive::Refused(told)) => Some((turn, told)),
        Err(NotLive::Lost(error)) => panic!("{error}"),
    });
    let (turn, told) = refused.expect("one of them is refused");
    assert_eq!(turn, 4, "after three takeovers");
    assert!(told.text.starts_with("[18/601]"), "{told:?}");
    live.expect("the other stays live").delete_stream().unwrap();
    assert_eq!(server.codes("duel", 5), ["1/0", "18/601", "21/102", "21/102", "21/102"]);
    let records = server.records_of("duel", 5);
    let refused = records.iter().find(|record| record.errcode == 18).unwrap();
    let detail = refused.detail.as_ref().expect("a detail");
    assert_eq!(detail.key, "duel");
    let named = format!("{:?}", detail.params);
    assert!(named.contains("127.0.0.2") && named.contains("127.0.0.3"), "{named}");
}

#[test]
fn a_backup_waits_and_takes_over_when_the_first_ends() {
    let server = Setup::open().config(BACKUP).start();
    let push = || Pusher::push_to(server.rtmp(), "backup.test", "live", "guarded").unwrap();
    let (mut first, mut second) = (push(), push());
    first.send_media(1_000).unwrap();
    second.send_media(1_000).unwrap();
    let roles = || {
        let pushes = server.get("/api/v1/pushes");
        let roles =
            pushes["pushes"].as_array().unwrap().iter().map(|push| push["role"].as_str().unwrap().to_owned());
        roles.collect::<Vec<_>>()
    };
    assert_eq!(roles(), ["live", "backup"]);
    first.delete_stream().unwrap();
    until("the backup to be live", PATIENCE, || (roles() == ["live"]).then_some(()));
    assert!(!second.answer(), "the backup goes on");
    second.delete_stream().unwrap();
    assert_eq!(server.codes("guarded", 2), ["1/0", "1/0"]);
}
