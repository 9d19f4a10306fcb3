//! Listeners that want one port. `0.0.0.0` and `[::]` are every address, and port 0 is any that is free.

use std::net::SocketAddr;

use super::{Config, WebRtcTcp};

/// A listener's key, and where it listens.
type Place = (&'static str, SocketAddr);

/// The pairs that cannot both listen. Defaults of listeners that nobody chose give way by themselves.
pub fn meetings(config: &Config) -> Vec<[Place; 2]> {
    let Config { srt, webrtc, .. } = config;
    let mut tcp = over_tcp(config).to_vec();
    if let (Some(_), Some(WebRtcTcp::At(at))) = (webrtc.listen, webrtc.tcp) {
        tcp.push(("webrtc.tcp_listen", Some(at)));
    }
    let udp = [
        ("srt.listen", chosen(srt.listen, srt.chosen)),
        ("webrtc.listen", chosen(webrtc.listen, webrtc.chosen)),
    ];
    let mut found = Vec::new();
    for family in [&tcp[..], &udp[..]] {
        let places: Vec<Place> = family.iter().filter_map(|(key, at)| Some((*key, (*at)?))).collect();
        for (index, place) in places.iter().enumerate() {
            let before = places.iter().take(index).filter(|other| meet(other.1, place.1));
            found.extend(before.map(|other| [*other, *place]));
        }
    }
    found
}

/// Where WebRTC takes TCP connections: beside its UDP port where nobody has chosen, unless another listener wants that.
pub fn webrtc_tcp(config: &Config, udp: SocketAddr) -> live::WebRtcTcp {
    match config.webrtc.tcp {
        Some(WebRtcTcp::Off) => live::WebRtcTcp::Off,
        Some(WebRtcTcp::At(at)) => live::WebRtcTcp::At(at),
        // Also those that would give way to it.
        None => {
            let defaults = [config.rtmps.listen, config.https.listen];
            let others = over_tcp(config).into_iter().map(|(_, at)| at).chain(defaults).flatten();
            let mut meeting = others.filter(|at| meet(*at, udp));
            if meeting.next().is_some() { live::WebRtcTcp::Off } else { live::WebRtcTcp::LikeUdp }
        }
    }
}

/// The other listeners of TCP, with the ports that were chosen or have no other use.
fn over_tcp(config: &Config) -> [(&'static str, Option<SocketAddr>); 5] {
    let Config { http, rtmps, https, .. } = config;
    [
        ("rtmp.listen", Some(config.rtmp.listen)),
        ("http.listen", Some(http.listen)),
        ("http.admin_listen", http.admin_listen),
        ("rtmps.listen", chosen(rtmps.listen, rtmps.wanted)),
        ("https.listen", chosen(https.listen, https.wanted)),
    ]
}

fn chosen(at: Option<SocketAddr>, chosen: bool) -> Option<SocketAddr> {
    at.filter(|_| chosen)
}

fn meet(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && overlap
}
