//! All ports, bound before the store is touched: a busy port harms nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use live::{Listeners, LiveConfig, StartError};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use web::Surface;

use super::secured::Secured;
use crate::config::{Config, WebRtcTcp};
use crate::failure::Failure;

/// The bound ports.
pub struct Ports {
    /// Those of the live path.
    pub live: Listeners,
    /// Those of the web side, with what each offers, and how it is secured.
    pub http: Vec<(TcpListener, Surface, Option<Arc<ServerConfig>>)>,
    /// Where they are.
    pub addresses: Addresses,
}

/// Real addresses, also where port 0 was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// RTMP pushes.
    pub rtmp: SocketAddr,
    /// SRT pushes.
    pub srt: Option<SocketAddr>,
    /// Health, and everything else unless `admin` is set.
    pub http: SocketAddr,
    /// Console and API, where they are apart.
    pub admin: Option<SocketAddr>,
    /// RTMP pushes over TLS.
    pub rtmps: Option<SocketAddr>,
    /// As `http`, over TLS.
    pub https: Option<SocketAddr>,
}

impl Ports {
    /// Binds them.
    pub async fn bind(config: &Config, live: &LiveConfig, secured: &Secured) -> Result<Self, Failure> {
        let mut live = Listeners::bind(live).map_err(|error| match error {
            StartError::Bind { addr, source } if config.webrtc.listen == Some(addr) => {
                busy("webrtc.listen", "LASTFRAME_WEBRTC_LISTEN", addr, &source)
            }
            StartError::Bind { addr, source } if config.webrtc.tcp == Some(WebRtcTcp::At(addr)) => {
                busy("webrtc.tcp_listen", "LASTFRAME_WEBRTC_TCP_LISTEN", addr, &source)
            }
            StartError::Bind { addr, source } => busy("rtmp.listen", "LASTFRAME_RTMP_LISTEN", addr, &source),
            StartError::BindSrt { addr, source } => busy("srt.listen", "LASTFRAME_SRT_LISTEN", addr, &source),
            other => Failure::failed(other),
        })?;
        let wanted = match config.http.admin_listen {
            None => vec![(config.http.listen, Surface::All, "http.listen", "LASTFRAME_HTTP_LISTEN")],
            Some(admin) => vec![
                (config.http.listen, Surface::Public, "http.listen", "LASTFRAME_HTTP_LISTEN"),
                (admin, Surface::Admin, "http.admin_listen", "LASTFRAME_HTTP_ADMIN_LISTEN"),
            ],
        };
        let mut http = Vec::new();
        let mut bound = Vec::new();
        for (addr, surface, key, variable) in wanted {
            let failed = |error: io::Error| busy(key, variable, addr, &error);
            let listener = TcpListener::bind(addr).await.map_err(failed)?;
            bound.push(listener.local_addr().map_err(failed)?);
            http.push((listener, surface, None));
        }
        let rtmps = rtmps(config, &mut live, secured)?;
        let https = https(config, secured).await?;
        let https = https.map(|(listener, addr, tls)| {
            // With consoles and APIs apart, this is the other port as well.
            let surface = if config.http.admin_listen.is_some() { Surface::Public } else { Surface::All };
            http.push((listener, surface, Some(tls)));
            addr
        });
        let addresses = Addresses {
            rtmp: live.rtmp_addr(),
            srt: live.srt_addr(),
            http: bound.first().copied().unwrap_or(config.http.listen),
            admin: bound.get(1).copied(),
            rtmps,
            https,
        };
        Ok(Self { live, http, addresses })
    }
}

fn rtmps(config: &Config, live: &mut Listeners, secured: &Secured) -> Result<Option<SocketAddr>, Failure> {
    let (Some(listen), Some(tls)) = (config.rtmps.listen, &secured.rtmps) else { return Ok(None) };
    let listener = live::ListenConfig { listen, proxy_protocol: config.rtmps.proxy_protocol.clone() };
    match live.add_rtmps(&listener, tls.clone()) {
        Ok(addr) => Ok(Some(addr)),
        Err(StartError::Bind { addr, source }) => {
            let failed = busy("rtmps.listen", "LASTFRAME_RTMPS_LISTEN", addr, &source);
            wanted(config.rtmps.wanted, "RTMPS", failed)
        }
        Err(other) => Err(Failure::failed(other)),
    }
}

async fn https(
    config: &Config,
    secured: &Secured,
) -> Result<Option<(TcpListener, SocketAddr, Arc<ServerConfig>)>, Failure> {
    let (Some(listen), Some(tls)) = (config.https.listen, &secured.https) else { return Ok(None) };
    let bound = async {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        Ok((listener, addr, tls.clone()))
    };
    match bound.await {
        Ok(bound) => Ok(Some(bound)),
        Err(error) => {
            let failed = busy("https.listen", "LASTFRAME_HTTPS_LISTEN", listen, &error);
            wanted(config.https.wanted, "HTTPS", failed)
        }
    }
}

/// A port that nobody asked for, and that is taken, is no reason not to start.
fn wanted<T>(is_wanted: bool, name: &str, failed: Failure) -> Result<Option<T>, Failure> {
    if is_wanted {
        return Err(failed);
    }
    tracing::warn!("{name} is off: {failed}");
    Ok(None)
}

fn busy(key: &str, variable: &str, addr: SocketAddr, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there: stop it, or choose another port",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege: choose another port",
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: choose one that it has, or 0.0.0.0"
        }
        _ => "choose another address",
    };
    Failure::failed(format!(
        "cannot listen on {addr}: {error}; {advice} with {key} (or {variable}=host:port)"
    ))
}
