//! A server to push to: where, under which name, and where its records are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::sign::{Algorithm, signed_query};
use model::{Clock, SystemClock};

use crate::api::Api;
use crate::client::Client;
use crate::error::LabError;
use crate::server::{DOMAIN, Profile, Server, Setup};
use crate::target::Target;

/// How long the lab's own signatures are good.
const SIGNED_FOR: Duration = Duration::from_secs(3_600);
/// Where others take pushes over SRT.
const SRT_PORT: u16 = 9000;
/// The app that the lab pushes to on servers of its own.
pub const APP: &str = "live";

/// A server to push to.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where it takes pushes.
    pub rtmp: SocketAddr,
    /// Where it takes pushes over SRT.
    pub srt: SocketAddr,
    /// Where its records are.
    pub api: Api,
    /// Host of the push URL.
    pub host: String,
    /// App of the push URL.
    pub app: String,
    rtmps: Option<SocketAddr>,
    tls: bool,
    query: String,
    sign_key: Option<String>,
    own: bool,
    _server: Option<Arc<Server>>,
}

impl Site {
    /// This server, or one of the lab's own that is started for it.
    ///
    /// # Errors
    /// When it cannot be started, or its API not be used.
    pub async fn new(target: Option<&Target>) -> Result<Self, LabError> {
        match target {
            Some(target) => Self::external(target),
            None => Self::own(Arc::new(Server::start(Setup::new(Profile::Standard)).await?)),
        }
    }

    /// A server of the lab's own, which runs as long as the site is there.
    pub fn own(server: Arc<Server>) -> Result<Self, LabError> {
        Ok(Self {
            rtmp: server.rtmp(),
            srt: server.srt(),
            api: server.api()?,
            host: DOMAIN.to_owned(),
            app: APP.to_owned(),
            rtmps: server.rtmps(),
            tls: false,
            query: String::new(),
            sign_key: None,
            own: true,
            _server: Some(server),
        })
    }

    /// Somebody else's server.
    pub fn external(target: &Target) -> Result<Self, LabError> {
        Ok(Self {
            rtmp: target.address,
            srt: SocketAddr::new(target.address.ip(), SRT_PORT),
            api: Api::new(&target.api, &target.key)?,
            host: target.host.clone(),
            app: target.app.clone(),
            rtmps: None,
            tls: false,
            query: target.query.clone(),
            sign_key: target.sign_key.clone(),
            own: false,
            _server: None,
        })
    }

    /// The same server, pushed to over TLS.
    ///
    /// # Errors
    /// [`LabError::Skipped`] where it is not known to take that.
    pub fn secured(self) -> Result<Self, LabError> {
        let rtmp = self.rtmps.ok_or_else(|| LabError::Skipped("needs a server with RTMPS".to_owned()))?;
        Ok(Self { rtmp, tls: true, ..self })
    }

    /// Whether the lab started it, so that its clock is this one.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// `tcUrl` of a push.
    pub fn tc_url(&self) -> String {
        format!("{}://{}/{}", self.scheme(), self.host, self.app)
    }

    /// What a push URL begins with.
    pub fn scheme(&self) -> &'static str {
        if self.tls { "rtmps" } else { "rtmp" }
    }

    /// What a client says in `publish` for this stream: its name, with query and signature where they are needed.
    pub fn publish_name(&self, stream: &str) -> String {
        let signature = self
            .sign_key
            .as_deref()
            .map(|key| signed_query(key, stream, SystemClock.now().plus(SIGNED_FOR), Algorithm::Md5));
        let parts = [Some(self.query.as_str()).filter(|query| !query.is_empty()), signature.as_deref()];
        let query: Vec<&str> = parts.into_iter().flatten().collect();
        if query.is_empty() { stream.to_owned() } else { format!("{stream}?{}", query.join("&")) }
    }

    /// A connection on which nothing has been said, but for TLS.
    pub async fn open(&self) -> Result<Client, LabError> {
        let client = Client::open(self.rtmp).await?;
        if self.tls { client.secure(&self.host).await } else { Ok(client) }
    }

    /// Everything before `publish`.
    pub async fn ready(&self, mut client: Client) -> Result<Client, LabError> {
        client.handshake().await?;
        client.connect(&self.app, &self.tc_url()).await?;
        client.create_stream().await?;
        Ok(client)
    }

    /// A push that is live and has sent nothing.
    pub async fn published(&self, stream: &str) -> Result<Client, LabError> {
        self.publish_on(self.open().await?, stream).await
    }

    /// The same on a connection that is there.
    pub async fn publish_on(&self, client: Client, stream: &str) -> Result<Client, LabError> {
        let mut client = self.ready(client).await?;
        client.publish(&self.publish_name(stream)).await?;
        Ok(client)
    }

    /// A push that is live and has sent a frame.
    pub async fn live(&self, stream: &str) -> Result<Client, LabError> {
        let mut client = self.published(stream).await?;
        client.send_frame(1_000).await?;
        Ok(client)
    }
}
