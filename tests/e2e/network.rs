//! What goes wrong between client and server, where nobody says so. The client is in a namespace of its own.

use std::thread::sleep;
use std::time::Duration;

use crate::support::clock::{PATIENCE, until_true, wall};
use crate::support::encoder::Encoder;
use crate::support::namespace::Namespace;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::Setup;

const PATH_LIMIT: Duration = Duration::from_secs(5);

#[test]
fn a_black_hole_is_a_lost_path_at_the_path_limit_and_not_at_the_idle_limit() {
    let Some(far) = Far::push("lost") else { return };
    far.space.black_hole();
    let since = wall();
    let record = far.server.record("lost");
    assert_eq!(record.code().to_string(), "12/0", "{record:#?}");
    assert_eq!(record.side, "network");
    assert_eq!(record.client_ip.to_string(), far.space.client.to_string());
    assert_eq!(record.detail.as_ref().expect("a detail").key, "path_lost");
    let took = Duration::from_millis(record.ended_at.since(since));
    assert!(
        took.abs_diff(PATH_LIMIT) < Duration::from_millis(1_500),
        "{took:?} for a limit of {PATH_LIMIT:?}"
    );
}

#[test]
fn a_host_that_routers_call_unreachable_is_told_from_a_black_hole() {
    let Some(far) = Far::push("unreachable") else { return };
    far.space.unreachable();
    let record = far.server.record("unreachable");
    assert_eq!(record.code().to_string(), "13/0", "{record:#?}");
    assert_eq!(record.side, "network");
}

#[test]
fn a_reset_that_answers_our_probe_is_a_router_that_forgot_the_connection() {
    let Some(far) = Far::push("forgotten") else { return };
    far.space.forgotten();
    let record = far.server.record("forgotten");
    assert_eq!(record.code().to_string(), "12/0", "{record:#?}");
    assert_eq!(record.detail.expect("a detail").key, "nat_lost");
}

#[test]
fn a_push_killed_under_a_collapsed_uplink_is_laid_to_the_network() {
    let Some(mut far) = Far::push("collapsed") else { return };
    sleep(Duration::from_secs(4));
    far.space.uplink("250kbit");
    let lag = || far.server.get("/api/v1/pushes")["pushes"][0]["lag_ms"].as_i64();
    until_true("the push to fall behind", PATIENCE, || lag().is_some_and(|lag| lag > 3_000));
    far.encoder.kill();
    let record = far.server.record("collapsed");
    assert_eq!(record.code().to_string(), "15/0", "{record:#?}");
    assert_eq!(record.side, "network");
}

/// ffmpeg in a namespace, live on a server outside.
struct Far {
    // In this order: the encoder goes before the cable.
    encoder: Encoder,
    server: Server,
    space: Namespace,
}

impl Far {
    /// `None` where the machine does not allow it.
    fn push(stream: &str) -> Option<Self> {
        if !rights::has_as_root(&["ip", "iptables", "tc", "ffmpeg"]) {
            return None;
        }
        let space = Namespace::new();
        let setup = Setup::open().config("[limits]\npath = \"5s\"\n");
        let listen = format!("{}:{}", space.host, setup.rtmp_port);
        let server = setup.env("LASTFRAME_RTMP_LISTEN", &listen).start();
        let url = format!("rtmp://{listen}/live/{stream}?domain=push.test");
        let encoder = Encoder::ffmpeg_under("ip", &space.exec("ffmpeg"), &url);
        until_true("media", PATIENCE, || server.get("/api/v1/pushes")["pushes"][0]["width"] == 640);
        sleep(Duration::from_secs(2));
        Some(Self { encoder, server, space })
    }
}
