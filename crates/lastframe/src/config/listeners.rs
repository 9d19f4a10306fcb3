//! Listeners that want one port. `0.0.0.0` and `[::]` are every address, and port 0 is any that is free.

use std::net::SocketAddr;

use super::Config;

/// A listener's key, and where it listens.
type Place = (&'static str, SocketAddr);

/// The pairs that cannot both listen. Defaults of listeners that nobody chose give way by themselves.
pub fn meetings(config: &Config) -> Vec<[Place; 2]> {
    let Config { http, rtmps, https, srt, webrtc, .. } = config;
    let chosen = |at: Option<SocketAddr>, chosen: bool| at.filter(|_| chosen);
    let tcp = [
        ("rtmp.listen", Some(config.rtmp.listen)),
        ("http.listen", Some(http.listen)),
        ("http.admin_listen", http.admin_listen),
        ("rtmps.listen", chosen(rtmps.listen, rtmps.wanted)),
        ("https.listen", chosen(https.listen, https.wanted)),
    ];
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

fn meet(a: SocketAddr, b: SocketAddr) -> bool {
    let overlap = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && overlap
}
