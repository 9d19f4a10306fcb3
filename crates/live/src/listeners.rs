//! The ports of the live path, bound before anything else is touched.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::{ListenConfig, LiveConfig};
use crate::start::StartError;
use crate::{ingest, webrtc};

/// Ports that are bound before the store is recovered, so that a busy port harms nothing.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) rtmp: tokio::net::TcpListener,
    pub(crate) rtmp_addr: SocketAddr,
    pub(crate) webrtc: Option<webrtc::Ports>,
    pub(crate) rtmps: Option<(tokio::net::TcpListener, SocketAddr, ingest::listener::Door)>,
    pub(crate) srt: Option<(tokio::net::UdpSocket, SocketAddr)>,
}

impl Listeners {
    /// Binds the ports of the live path.
    ///
    /// # Errors
    /// [`StartError::Bind`].
    pub fn bind(config: &LiveConfig) -> Result<Self, StartError> {
        let (rtmp, rtmp_addr) = bound(config.rtmp.listen)?;
        let webrtc = match &config.webrtc {
            None => None,
            Some(config) => match webrtc::bind(config) {
                Ok(ports) => Some(ports),
                Err((addr, error)) if config.optional => {
                    tracing::warn!(%addr, %error, "cannot listen for WebRTC: WHIP and WHEP are off; choose another port with webrtc.listen");
                    None
                }
                Err((addr, source)) => return Err(StartError::Bind { addr, source }),
            },
        };
        let srt = match config.srt.as_ref().map(|config| (config, bind_srt(config.listen))) {
            Some((config, Err(error))) if config.optional => {
                tracing::warn!(%error, "no pushes over SRT; choose another port with srt.listen");
                None
            }
            Some((_, bound)) => Some(bound?),
            None => None,
        };
        Ok(Self { rtmp, rtmp_addr, rtmps: None, webrtc, srt })
    }

    /// Where SRT pushes come in, as [`Listeners::rtmp_addr`].
    pub fn srt_addr(&self) -> Option<SocketAddr> {
        self.srt.as_ref().map(|(_, addr)| *addr)
    }

    /// Binds a port for RTMP over TLS as well, with settings that [`crate::tls::listener`] makes. Gives the real address.
    ///
    /// # Errors
    /// [`StartError::Bind`]; the other ports stay as they are.
    pub fn add_rtmps(
        &mut self,
        config: &ListenConfig,
        tls: Arc<rustls::ServerConfig>,
    ) -> Result<SocketAddr, StartError> {
        let (listener, addr) = bound(config.listen)?;
        let door = ingest::listener::Door::rtmps(config.proxy_protocol.clone(), tls);
        self.rtmps = Some((listener, addr, door));
        Ok(addr)
    }

    /// Where RTMP pushes come in; the port is the real one where 0 was asked for.
    pub fn rtmp_addr(&self) -> SocketAddr {
        self.rtmp_addr
    }
}

fn bound(addr: SocketAddr) -> Result<(tokio::net::TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { addr, source };
    let listener = ingest::listener::bind(addr).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

fn bind_srt(addr: SocketAddr) -> Result<(tokio::net::UdpSocket, SocketAddr), StartError> {
    let failed = |source| StartError::BindSrt { addr, source };
    let socket = ingest::srt::bind(addr).map_err(failed)?;
    let addr = socket.local_addr().map_err(failed)?;
    Ok((socket, addr))
}
