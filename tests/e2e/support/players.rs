//! Pages with the players that web sites use, on a small server of the scenario's own.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use super::{rights, tls_front};

/// hls.js in its low-latency mode.
const HLS: &str = include_str!("../web/hls.html");
/// mpegts.js, for FLV over HTTP and WebSocket.
const FLV: &str = include_str!("../web/flv.html");
/// WHIP and WHEP, with nothing but what the browser has.
const WEBRTC: &str = include_str!("../web/webrtc.html");
/// WHIP, WHEP and hls.js on one page.
const SECURED: &str = include_str!("../web/secured.html");

/// The server of the pages. It lives as long as the process: a browser may still ask.
#[derive(Debug)]
pub struct Pages {
    address: SocketAddr,
    /// Where browsers find it.
    base: String,
}

impl Pages {
    /// Starts it.
    pub fn serve() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                thread::spawn(move || answer(socket));
            }
        });
        Self { address, base: format!("http://{address}") }
    }

    /// Starts it behind TLS, under a name that no resolver knows: `pages.test`.
    pub fn serve_secured() -> Self {
        let Self { address, .. } = Self::serve();
        Self { address, base: format!("https://pages.test:{}", tls_front::start(address)) }
    }

    /// The page that pushes and plays a stream of `server` (a URL), with this query.
    pub fn secured(&self, server: &str, stream: &str, query: &str) -> String {
        format!("{}/secured.html#{server}|{stream}|{query}", self.base)
    }

    /// The page that plays `url` with hls.js.
    pub fn hls(&self, url: &str) -> String {
        format!("{}/hls.html#{url}", self.base)
    }

    /// The page that pushes (`whip`) or plays (`whep`) over WebRTC, with one video codec or any.
    pub fn webrtc(&self, kind: &str, url: &str, codec: &str) -> String {
        format!("{}/webrtc.html#{kind}|{url}|{codec}", self.base)
    }

    /// The same, with no address for datagrams: over TCP.
    pub fn webrtc_over_tcp(&self, kind: &str, url: &str) -> String {
        format!("{}|tcp", self.webrtc(kind, url, ""))
    }

    /// The page that pushes flashes and tones that belong together.
    pub fn claps(&self, url: &str) -> String {
        format!("{}|claps", self.webrtc("whip", url, ""))
    }

    /// The page that plays `url` with mpegts.js.
    pub fn flv(&self, url: &str) -> String {
        format!("{}/flv.html#{url}", self.base)
    }
}

/// Whether the players are there.
///
/// # Panics
/// For root, who can install them: `test.sh` does.
pub fn are_there() -> bool {
    is_there("hls.js/dist/hls.min.js")
}

/// Whether one of the packages is, by a file of its.
///
/// # Panics
/// As [`are_there`].
pub fn is_there(file: &str) -> bool {
    let there = folder().join(file).is_file();
    assert!(
        there || !rights::is_root(),
        "no {file} in {}: run test.sh, which installs it",
        folder().display()
    );
    if !there {
        eprintln!("left out: no {file} in {}", folder().display());
    }
    there
}

/// The folder of the packages.
pub fn packages() -> PathBuf {
    folder()
}

/// The text of a file of one of the packages, if it is installed.
pub fn file(path: &str) -> Option<String> {
    std::fs::read_to_string(folder().join(path)).ok()
}

/// Where test.sh puts the players: the test binary lies in TARGET/PROFILE/deps.
fn folder() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    binary.ancestors().nth(3).unwrap().join("players/node_modules")
}

fn answer(mut socket: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(socket.try_clone().ok()?).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    lines.find(String::is_empty);
    let file = |path: &str| std::fs::read(folder().join(path)).unwrap_or_default();
    let (kind, body) = match path.as_str() {
        "/hls.html" => ("text/html", HLS.as_bytes().to_vec()),
        "/flv.html" => ("text/html", FLV.as_bytes().to_vec()),
        "/secured.html" => ("text/html", SECURED.as_bytes().to_vec()),
        "/webrtc.html" => ("text/html", WEBRTC.as_bytes().to_vec()),
        "/hls.js" => ("text/javascript", file("hls.js/dist/hls.min.js")),
        "/mpegts.js" => ("text/javascript", file("mpegts.js/dist/mpegts.js")),
        _ => ("text/plain", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).ok()?;
    socket.write_all(&body).ok()
}
