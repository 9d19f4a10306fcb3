//! The path between client and server goes dead, and nobody says so.

use std::time::Duration;

use crate::support::clock::{now, until};
use crate::support::encoder::Encoder;
use crate::support::namespace::Namespace;
use crate::support::rights;
use crate::support::setup::Setup;

#[test]
fn a_black_hole_is_a_lost_path_at_the_path_limit_and_not_at_the_idle_limit() {
    if !rights::has_as_root(&["ip", "iptables", "ffmpeg"]) {
        return;
    }
    let limit = Duration::from_secs(5);
    let space = Namespace::new();
    let setup = Setup::open().config("[limits]\npath = \"5s\"\n");
    let listen = format!("{}:{}", space.host, setup.rtmp_port);
    let server = setup.env("LASTFRAME_RTMP_LISTEN", &listen).start();
    let url = format!("rtmp://{listen}/live/lost?domain=push.test");
    let encoder = Encoder::ffmpeg_under("ip", &space.exec("ffmpeg"), &url);
    until("media", Duration::from_secs(30), || {
        let pushes = server.get("/api/v1/pushes");
        (pushes["pushes"][0]["width"] == 640).then_some(())
    });
    std::thread::sleep(Duration::from_secs(2));

    space.black_hole();
    let since = now();
    let record = server.record("lost");
    let took = since.elapsed();
    assert_eq!(record.code().to_string(), "12/0", "{record:#?}");
    assert_eq!(record.side, "network");
    assert_eq!(record.client_ip.to_string(), space.client.to_string());
    assert_eq!(record.detail.as_ref().expect("a detail").key, "path_lost");
    // The record is looked for by starting a command, which takes its time as well.
    let slack = Duration::from_millis(1_500);
    assert!(
        took > limit - slack && took < limit + slack + Duration::from_secs(1),
        "{took:?} for a limit of {limit:?}"
    );
    drop(encoder);
}
