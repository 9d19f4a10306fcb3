//! A whole server on free ports, and a client that shows every byte of an answer.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use live::{Limits, ListenConfig, Live, LiveConfig};
use model::admission::AdmissionSettings;
use model::catalog::{Account, AccountStatus, ApiKey, Domain, Role};
use model::{Clock, FetchEnd, FetchRecord, Record, SystemClock, Timestamp};
use store::{DataLock, EndRow, Store, StoreConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use web::{ServerLimits, Surface, WebConfig, WebState};

pub const PASSWORD: &str = "correct horse battery";
pub const DOMAIN_KEY: &str = "domain-key-that-signs-urls";
pub const ADMIN: &str = "admin-key:0123456789abcdef-admin";
pub const VIEWER: &str = "viewer-key:0123456789abcdef-viewer";
pub const OTHER: &str = "other-key:0123456789abcdef-other";

/// A server with two accounts: 1 owns `a.example`, 2 owns `b.example`.
pub struct Server {
    pub http: SocketAddr,
    pub store: Store,
    pub live: Live,
    dir: tempfile::TempDir,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(Surface::All, |_| {}).await
    }

    pub async fn start_with(surface: Surface, change: impl FnOnce(&mut WebConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let config = StoreConfig {
            dir: dir.path().to_owned(),
            keep: Duration::from_secs(86_400 * 30),
            keep_evidence: Duration::from_secs(86_400),
            fold: None,
            ignore: Vec::new(),
            node_id: uuid::Uuid::from_u128(1),
            node_label: "node-1".into(),
            reserve_bytes: 0,
            outbox: store::OutboxConfig::default(),
            remote: None,
            keep_history: StoreConfig::KEEP_HISTORY,
        };
        let store = Store::open(DataLock::take(dir.path()).unwrap(), config, clock.clone()).unwrap();
        fill_catalog(&store);
        let live = Live::start(live_config(), &store, clock.clone()).await.unwrap();
        let mut config = WebConfig {
            trusted_proxies: Vec::new(),
            insecure: false,
            default_language: None,
            rtmp_port: live.rtmp_addr().port(),
            doors: vec![web::Door { kind: model::UrlKind::Rtmp, port: live.rtmp_addr().port(), tls: false }],
            admission: AdmissionSettings::default(),
            retention: web::Retention::default(),
            css_rate_limits: true,
            callback: web::CallbackSettings::default(),
            importers: Vec::new(),
            certificates: Vec::new(),
        };
        change(&mut config);
        let state = WebState::new(config, live.clone(), &store, clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = web::router(state, surface);
        tokio::spawn(web::serve(listener, None, router, ServerLimits::default(), async move {
            let _ = stopped.await;
        }));
        Self { http, store, live, dir, _stop: stop }
    }

    /// Writes a record of a push that was refused or ended early, and waits until it can be read.
    pub async fn record(&self, stream: &str, account: u64, code: (u16, u16)) -> Record {
        let id = SystemClock.push_id();
        let record = record(id, stream, account, code);
        let mut evidence = cause::Evidence::new(cause::evidence::Transport::Rtmp);
        evidence.stage = cause::evidence::Stage::Admission;
        let end = EndRow { record: record.clone(), evidence: evidence.encode(), verdict_version: 1 };
        let mut committed = self.store.journal().subscribe();
        self.store.journal().refuse(end).await;
        while committed.recv().await.unwrap().id != id {}
        // Ends of one millisecond have no promised order; the next record is to be a later one.
        while SystemClock.now() <= record.ended_at {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        record
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "").await
    }

    pub async fn api(&self, path: &str, key: &str) -> Answer {
        self.get(&format!("/api/v1{path}"), &[("authorization", &format!("Bearer {key}"))]).await
    }

    pub async fn act(&self, path: &str, key: &str, body: &str) -> Answer {
        let headers = [("authorization", &*format!("Bearer {key}")), ("content-type", "application/json")];
        self.send("POST", &format!("/api/v1{path}"), &headers, body).await
    }

    pub async fn form(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        self.send("POST", path, &headers, body).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.http);
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("content-length: {}\r\n\r\n{body}", body.len());
        self.send_raw(&request).await
    }

    /// Sends these bytes.
    pub async fn send_raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.http).await.unwrap();
        // A server that refuses a head closes before it has read all of it.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Answer::read(&String::from_utf8(bytes).unwrap())
    }

    /// Signs in; gives the cookie header of the session.
    pub async fn sign_in(&self) -> String {
        let (cookie, token) = self.sign_in_form(&[]).await;
        let body = format!("user=admin&password={}&token={token}", PASSWORD.replace(' ', "+"));
        let answer = self.form("/sign-in", &[("cookie", &cookie)], &body).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.cookie("lastframe_session").unwrap()
    }

    /// The sign-in form's cookie and token.
    pub async fn sign_in_form(&self, headers: &[(&str, &str)]) -> (String, String) {
        let page = self.get("/sign-in", headers).await;
        (page.cookie("lastframe_form").unwrap(), page.token())
    }
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok()).unwrap_or(0);
        let split = |l: &str| l.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned()));
        Self { status, headers: lines.filter_map(split).collect(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// `name=value` of a cookie that the answer sets.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v);
        set.filter_map(|v| v.split(';').next())
            .find(|v| v.starts_with(&format!("{name}=")))
            .map(str::to_owned)
    }

    /// The form token on the page.
    pub fn token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"token\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// A fetch of a stream of `a.example` or `b.example`, which are of accounts 1 and 2.
pub fn fetch(account: u64, stream: &str, why: FetchEnd) -> FetchRecord {
    let by_owner = why == FetchEnd::Over;
    let params = serde_json::json!({ "address": "east:1935", "said": "The stream has ended." });
    let detail = model::record::DetailRecord {
        key: "upstream_order".to_owned(),
        params: serde_json::from_value(params).unwrap(),
        text: String::new(),
    };
    FetchRecord {
        id: uuid::Uuid::from_bytes(*SystemClock.push_id().as_bytes()),
        account: Some(account),
        domain: if account == 1 { "a.example" } else { "b.example" }.to_owned(),
        app: "live".to_owned(),
        stream: stream.to_owned(),
        node: "west".to_owned(),
        owner: Some("east".to_owned()),
        address: Some("east:1935".to_owned()),
        revision: 4,
        since: SystemClock.now().minus(Duration::from_secs(9)),
        ended_at: SystemClock.now(),
        live_ms: 8_000,
        bytes_in: 100,
        restarts: 0,
        viewers: 2,
        why,
        errcode: by_owner.then_some(10),
        sub_errcode: by_owner.then_some(0),
        errmsg: None,
        detail: by_owner.then_some(detail),
        events: Vec::new(),
    }
}

fn fill_catalog(store: &Store) {
    let catalog = store.catalog();
    for id in [1, 2] {
        catalog.put_account(&Account { id, status: AccountStatus::Active, max_pushes: 0 }).unwrap();
    }
    catalog.put_domain(&Domain::new("a.example", 1, DOMAIN_KEY)).unwrap();
    catalog.put_domain(&Domain::new("b.example", 2, DOMAIN_KEY)).unwrap();
    for (key, account, role) in [(ADMIN, 0, Role::Admin), (VIEWER, 0, Role::Viewer), (OTHER, 2, Role::Admin)]
    {
        let (id, secret) = key.split_once(':').unwrap();
        catalog.put_api_key(&ApiKey { id: id.into(), secret: secret.into(), account, role }).unwrap();
    }
    catalog.put_user("admin", &web::password::hash(PASSWORD).unwrap(), Role::Admin).unwrap();
}

fn live_config() -> LiveConfig {
    LiveConfig {
        node_label: "node-1".into(),
        rtmp: ListenConfig { listen: "127.0.0.1:0".parse().unwrap(), proxy_protocol: Vec::new() },
        webrtc: None,
        srt: None,
        limits: Limits::default(),
        play: live::PlayConfig::default(),
        admission: AdmissionSettings::default(),
        auth_hook: None,
        chosen_hook: live::outbound::Reach { private: true, networks: Vec::new() },
        relays: Vec::new(),
        proxy: None,
        pull: live::pull::PullConfig::default(),
        terse: false,
        strict_media: false,
    }
}

fn record(id: model::PushId, stream: &str, account: u64, (errcode, sub_errcode): (u16, u16)) -> Record {
    let cause = cause::Cause::from_code(model::Code::new(errcode, sub_errcode)).unwrap();
    let now = SystemClock.now();
    Record {
        id,
        sequence: id.sequence(),
        source: "lastframe".into(),
        account: Some(account),
        domain: Some(if account == 1 { "a.example" } else { "b.example" }.into()),
        app: Some("live".into()),
        stream: Some(stream.into()),
        protocol: "rtmp".into(),
        client_ip: "192.0.2.7".parse().unwrap(),
        client_port: 40_000,
        node: "node-1".into(),
        connected_at: Timestamp(now.millis() - 1_000),
        published_at: None,
        ended_at: now,
        duration_ms: 0,
        errcode,
        sub_errcode,
        errmsg: String::new(),
        side: cause.side().as_str().into(),
        detail: None,
        attempts: 1,
        last_attempt_at: None,
        bytes_in: 4_096,
        bytes_out: 3_500,
        video: None,
        audio: None,
        encoder: Some("test encoder".into()),
        stream_param: Some("txSecret=***&txTime=6B048FB1".into()),
    }
}
