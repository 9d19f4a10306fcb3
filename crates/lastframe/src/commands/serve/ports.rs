//! All ports, bound before the store is touched: a busy port harms nothing.

use std::io;
use std::net::SocketAddr;

use live::{Listeners, LiveConfig, StartError};
use tokio::net::TcpListener;
use web::Surface;

use crate::config::Config;
use crate::failure::Failure;

/// The bound ports.
pub struct Ports {
    /// Those of the live path.
    pub live: Listeners,
    /// Those of the web side, with what each offers.
    pub http: Vec<(TcpListener, Surface)>,
    /// Where they are.
    pub addresses: Addresses,
}

/// Real addresses, also where port 0 was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// RTMP pushes.
    pub rtmp: SocketAddr,
    /// Health, and everything else unless `admin` is set.
    pub http: SocketAddr,
    /// Console and API, where they are apart.
    pub admin: Option<SocketAddr>,
}

impl Ports {
    /// Binds them.
    pub async fn bind(config: &Config, live: &LiveConfig) -> Result<Self, Failure> {
        let live = Listeners::bind(live).map_err(|error| match error {
            StartError::Bind { addr, source } if config.webrtc.listen == Some(addr) => {
                busy("webrtc.listen", "LASTFRAME_WEBRTC_LISTEN", addr, &source)
            }
            StartError::Bind { addr, source } => busy("rtmp.listen", "LASTFRAME_RTMP_LISTEN", addr, &source),
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
            http.push((listener, surface));
        }
        let addresses = Addresses {
            rtmp: live.rtmp_addr(),
            http: bound.first().copied().unwrap_or(config.http.listen),
            admin: bound.get(1).copied(),
        };
        Ok(Self { live, http, addresses })
    }
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
