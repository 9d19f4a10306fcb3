//! The API of Tencent Cloud CSS: signatures, parameters, accounts, and what the actions do. The official clients are
//! held against the built program in the end-to-end scenarios; here stands what they would never send.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod common;

use common::{Answer, DOMAIN_KEY, Server};
use model::catalog::{Account, AccountStatus, ApiKey, Role};
use model::{Clock, SystemClock};
use serde_json::{Value, json};

/// A client that signs by the written rules (TC3-HMAC-SHA256), and lets its tests change everything.
struct Client {
    id: String,
    secret: String,
    action: String,
    body: String,
    timestamp: i64,
    service: String,
    signed_host: Option<String>,
    signed_headers: String,
    headers: Vec<(String, String)>,
    tamper: fn(String) -> String,
}

/// Keys of the two accounts, and one for all, each as id and secret.
const ONE: (&str, &str) = ("key-of-one", "secret-of-one");
const TWO: (&str, &str) = ("other-key", "0123456789abcdef-other");
const ALL: (&str, &str) = ("admin-key", "0123456789abcdef-admin");
const READS: (&str, &str) = ("viewer-key", "0123456789abcdef-viewer");

fn call(key: (&str, &str), action: &str, params: Value) -> Client {
    Client {
        id: key.0.to_owned(),
        secret: key.1.to_owned(),
        action: action.to_owned(),
        body: params.to_string(),
        timestamp: SystemClock.now().secs(),
        service: "live".to_owned(),
        signed_host: None,
        signed_headers: "content-type;host".to_owned(),
        headers: Vec::new(),
        tamper: |authorization| authorization,
    }
}

impl Client {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn authorization(&self, host: &str) -> String {
        let date = {
            let time = model::Timestamp(self.timestamp * 1000).to_string();
            time.split('T').next().unwrap().to_owned()
        };
        let host = self.signed_host.as_deref().unwrap_or(host);
        let lines: String = self
            .signed_headers
            .split(';')
            .map(|name| {
                let value = match name {
                    "host" => host.to_owned(),
                    "content-type" => "application/json".to_owned(),
                    "x-tc-action" => self.action.clone(),
                    other => self.headers.iter().find(|(n, _)| n == other).unwrap().1.clone(),
                };
                format!("{name}:{value}\n")
            })
            .collect();
        let unsigned = self.headers.iter().any(|(name, _)| name == "x-tc-content-sha256");
        let payload = if unsigned { "UNSIGNED-PAYLOAD" } else { &self.body };
        let canonical =
            format!("POST\n/\n\n{lines}\n{}\n{}", self.signed_headers, sha256(payload.as_bytes()));
        let scope = format!("{date}/{}/tc3_request", self.service);
        let text = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", self.timestamp, sha256(canonical.as_bytes()));
        let mut key = format!("TC3{}", self.secret).into_bytes();
        for part in [&date, &self.service, "tc3_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex::encode(hmac(&key, text.as_bytes()));
        (self.tamper)(format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.id, self.signed_headers
        ))
    }

    async fn send(&self, server: &Server) -> Value {
        let authorization = self.authorization(&server.http.to_string());
        let timestamp = self.timestamp.to_string();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("authorization", &authorization),
            ("x-tc-action", &self.action),
            ("x-tc-version", "2018-08-01"),
            ("x-tc-timestamp", &timestamp),
        ];
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        response(&server.send("POST", "/", &headers, &self.body).await)
    }

    async fn good(&self, server: &Server) -> Value {
        let response = self.send(server).await;
        assert!(response.get("Error").is_none(), "{}: {response}", self.action);
        response
    }

    async fn code(&self, server: &Server) -> String {
        let response = self.send(server).await;
        response["Error"]["Code"].as_str().unwrap_or_else(|| panic!("no error: {response}")).to_owned()
    }
}

/// What every answer is: HTTP 200, exactly `application/json`, with a request id.
fn response(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let response = answer.json()["Response"].clone();
    assert_eq!(response["RequestId"].as_str().map(str::len), Some(36), "{response}");
    response
}

fn sha256(text: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(text))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit, Mac};
    hmac::Hmac::<sha2::Sha256>::new_from_slice(key)
        .unwrap()
        .chain_update(text)
        .finalize()
        .into_bytes()
        .to_vec()
}

fn hmac_sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit, Mac};
    hmac::Hmac::<sha1::Sha1>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

async fn start() -> Server {
    let server = Server::start_with(web::Surface::All, |config| config.css_rate_limits = false).await;
    let key = ApiKey { id: ONE.0.into(), secret: ONE.1.into(), account: 1, role: Role::Admin };
    server.live.change(live::Change::PutApiKey(key), &by()).await.unwrap();
    server
}

fn by() -> live::OrderedBy {
    live::OrderedBy { who: "test".into(), via: "api", from: None }
}

fn domain(name: &str) -> Value {
    json!({ "DomainName": name })
}

fn stream(domain: &str, stream: &str) -> Value {
    json!({ "DomainName": domain, "AppName": "live", "StreamName": stream })
}

#[tokio::test]
async fn a_signed_call_is_answered_whatever_the_client_takes_for_host_and_service() {
    let server = start().await;
    let name = server.http.to_string();
    for (signed, service) in [
        (None, "live"),
        // One client leaves the port out of what it signs and calls the service after the host.
        (Some("127.0.0.1".to_owned()), "127"),
        (Some(name.clone()), "localhost:8080"),
    ] {
        let mut client = call(ONE, "DescribeLiveDomains", json!({}));
        (client.signed_host, client.service) = (signed, service.to_owned());
        assert_eq!(client.good(&server).await["AllCount"], 1);
    }
    let mut more = call(ONE, "DescribeLiveDomains", json!({}));
    more.signed_headers = "content-type;host;x-tc-action".to_owned();
    assert_eq!(more.good(&server).await["AllCount"], 1);
    let unsigned =
        call(ONE, "DescribeLiveDomains", json!({})).header("x-tc-content-sha256", "UNSIGNED-PAYLOAD");
    assert_eq!(unsigned.good(&server).await["AllCount"], 1);
}

#[tokio::test]
async fn a_host_with_a_scheme_in_it_is_what_that_client_signed() {
    let server = start().await;
    let host = format!("http://{}", server.http);
    let client = call(ONE, "DescribeLiveDomains", json!({}));
    let authorization = client.authorization(&host);
    let timestamp = client.timestamp.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-TC-Action: DescribeLiveDomains\r\nX-TC-Version: 2018-08-01\r\nX-TC-Timestamp: {timestamp}\r\n\
         Authorization: {authorization}\r\nContent-Length: {}\r\n\r\n{}",
        client.body.len(),
        client.body
    );
    assert_eq!(response(&server.send_raw(&request).await)["AllCount"], 1);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_in_every_part() {
    let server = start().await;
    let list = || call(ONE, "DescribeLiveDomains", json!({}));
    let tampered = |tamper| Client { tamper, ..list() };
    let wrong = [
        Client { secret: "another".into(), ..list() },
        Client { signed_host: Some("live.example".into()), ..list() },
        tampered(|a| {
            a.replace("Signature=", "Signature=00")
                .replace("Signature=00", "Signature=")
                .replace("/live/", "/live2/")
        }),
        tampered(|a| {
            let (head, tail) = a.split_at(a.len() - 1);
            format!("{head}{}", if tail == "0" { "1" } else { "0" })
        }),
        tampered(|a| a.replace("content-type;host", "content-type;host;x-tc-action")),
        tampered(|a| a.replace("content-type;host", "content-type;host;x-none")),
        tampered(|a| a.replace("content-type;host", "content-type;host;\u{e9}")),
    ];
    for client in wrong {
        let code = client.code(&server).await;
        assert!(["AuthFailure.SignatureFailure", "InvalidRequest"].contains(&code.as_str()), "{code}");
    }
    let swapped = Client { body: r#"{"PageSize":10}"#.into(), ..list() };
    let authorization = list().authorization(&server.http.to_string());
    let timestamp = swapped.timestamp.to_string();
    let headers = [
        ("content-type", "application/json"),
        ("authorization", authorization.as_str()),
        ("x-tc-action", "DescribeLiveDomains"),
        ("x-tc-version", "2018-08-01"),
        ("x-tc-timestamp", timestamp.as_str()),
    ];
    let answer = server.send("POST", "/", &headers, &swapped.body).await;
    assert_eq!(response(&answer)["Error"]["Code"], "AuthFailure.SignatureFailure");
    assert_eq!(tampered(|_| "Bearer x:y".into()).code(&server).await, "AuthFailure.InvalidAuthorization");
    let unknown = call(("nobody", "x"), "DescribeLiveDomains", json!({}));
    assert_eq!(unknown.code(&server).await, "AuthFailure.SecretIdNotFound");
    let token = list().header("x-tc-token", "temporary");
    assert_eq!(token.code(&server).await, "AuthFailure.TokenFailure");
}

#[tokio::test]
async fn a_clock_that_is_five_minutes_off_is_told() {
    let server = start().await;
    for off in [-400, 400] {
        let mut client = call(ONE, "DescribeLiveDomains", json!({}));
        client.timestamp += off;
        assert_eq!(client.code(&server).await, "AuthFailure.SignatureExpire");
        client.timestamp -= off / 2;
        client.good(&server).await;
    }
}

#[tokio::test]
async fn a_request_that_was_overheard_is_no_good_for_long() {
    let server = start().await;
    let key = stream("a.example", "s");
    let forbid = call(ONE, "ForbidLiveStream", key.clone());
    forbid.good(&server).await;
    // The official clients do not sign the action, so these two, within one second, have one signature.
    let mut resume = call(ONE, "ResumeLiveStream", key);
    resume.timestamp = forbid.timestamp;
    resume.good(&server).await;
    assert!(server.live.catalog().forbidden.is_empty());
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    for overheard in [forbid, resume] {
        assert_eq!(overheard.code(&server).await, "AuthFailure.SignatureFailure");
    }
    assert!(server.live.catalog().forbidden.is_empty());
}

/// A form signed over all of its parameters.
fn form(
    key: (&str, &str),
    host: &str,
    method: &str,
    sha256: bool,
    nonce: u64,
    params: &[(&str, &str)],
) -> String {
    use base64::Engine;
    let timestamp = SystemClock.now().secs().to_string();
    let nonce = nonce.to_string();
    let name = if sha256 { "HmacSHA256" } else { "HmacSHA1" };
    let mut pairs = params.to_vec();
    pairs.extend([
        ("Version", "2018-08-01"),
        ("Timestamp", &timestamp),
        ("Nonce", &nonce),
        ("SecretId", key.0),
    ]);
    pairs.push(("SignatureMethod", name));
    pairs.sort_unstable();
    let joined: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let text = format!("{method}{host}/?{}", joined.join("&"));
    let hash = if sha256 { hmac } else { hmac_sha1 };
    let signature = base64::engine::general_purpose::STANDARD.encode(hash(key.1.as_bytes(), text.as_bytes()));
    pairs.push(("Signature", &signature));
    let escaped = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    pairs.iter().map(|(n, v)| format!("{n}={}", escaped(v))).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn the_older_signatures_are_good_once() {
    let server = start().await;
    let host = server.http.to_string();
    for (nonce, sha256) in [(1, false), (2, true)] {
        let body =
            form(ONE, &host, "POST", sha256, nonce, &[("Action", "DescribeLiveDomains"), ("PageSize", "10")]);
        let first = response(&server.form("/", &[], &body).await);
        assert_eq!(first["AllCount"], 1, "{first}");
        let again = response(&server.form("/", &[], &body).await);
        assert_eq!(again["Error"]["Code"], "AuthFailure.SignatureFailure");
        let query = form(ONE, &host, "GET", sha256, nonce, &[("Action", "DescribeLiveDomains")]);
        let asked = response(&server.get(&format!("/?{query}"), &[]).await);
        assert_eq!(asked["AllCount"], 1, "{asked}");
    }
    let forged = form((ONE.0, "wrong"), &host, "POST", true, 3, &[("Action", "DescribeLiveDomains")]);
    assert_eq!(
        response(&server.form("/", &[], &forged).await)["Error"]["Code"],
        "AuthFailure.SignatureFailure"
    );
    let twice =
        form(ONE, &host, "POST", true, 4, &[("Action", "DescribeLiveDomains")]) + "&PageSize=10&PageSize=20";
    assert_eq!(response(&server.form("/", &[], &twice).await)["Error"]["Code"], "InvalidParameter");
}

#[tokio::test]
async fn what_two_readers_could_take_differently_is_refused() {
    let server = start().await;
    for (name, value) in [
        ("x-tc-action", "DropLiveStream"),
        ("x-tc-timestamp", "1"),
        ("authorization", "TC3-HMAC-SHA256 x"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("host", "elsewhere.example"),
    ] {
        let client = call(ONE, "DescribeLiveDomains", json!({})).header(name, value);
        let answer = client.send(&server).await;
        assert_eq!(answer["Error"]["Code"], "InvalidRequest", "{name}: {answer}");
    }
    let mut client = call(ONE, "DescribeLiveDomains", json!({}));
    for (body, code) in [
        (r#"{"PageNum":1,"PageNum":1}"#, "InvalidParameter"),
        (r#"{"PageNum":{}}"#, "InvalidParameter"),
        ("[]", "InvalidParameter"),
        ("", "InvalidParameter"),
        (r#"{"Nothing":1}"#, "UnknownParameter"),
        (r#"{"PageSize":5}"#, "InvalidParameterValue"),
        (r#"{"PageSize":"10"}"#, "InvalidParameter"),
    ] {
        client.body = body.to_owned();
        assert_eq!(client.code(&server).await, code, "{body}");
    }
    client.body = format!(r#"{{"DomainPrefix":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(client.code(&server).await, "RequestSizeLimitExceeded");
    let mut other = call(ONE, "DescribeLiveNothing", json!({}));
    assert_eq!(other.code(&server).await, "InvalidAction");
    other.action = "describelivedomains".to_owned();
    assert_eq!(other.code(&server).await, "InvalidAction");
    let put = response(&server.send("PUT", "/", &[], "").await);
    assert_eq!(put["Error"]["Code"], "UnsupportedProtocol");
    let nothing = response(&server.send("POST", "/", &[("content-type", "application/json")], "{}").await);
    assert_eq!(nothing["Error"]["Code"], "AuthFailure.InvalidAuthorization");
    let page = server.get("/", &[]).await;
    let led = page.header("location").is_some_and(|to| to.starts_with("/sign-in"));
    assert!(page.status == 303 && led, "a person is led to the console");
}

#[tokio::test]
async fn an_account_sees_and_changes_its_own_domains_alone() {
    let server = start().await;
    server.record("one", 1, (3, 0)).await;
    let now = SystemClock.now();
    let window = json!({
        "StartTime": model::Timestamp(now.millis() - 3_600_000).to_string(),
        "EndTime": now.to_string(),
        "DomainName": "a.example",
    });
    assert_eq!(call(ONE, "DescribeLiveStreamEventList", window.clone()).good(&server).await["TotalNum"], 1);
    assert_eq!(call(ALL, "DescribeLiveStreamEventList", window.clone()).good(&server).await["TotalNum"], 1);
    assert_eq!(call(TWO, "DescribeLiveStreamEventList", window).good(&server).await["TotalNum"], 0);

    for (action, params, code) in [
        ("DropLiveStream", stream("a.example", "one"), "InvalidParameterValue"),
        ("ForbidLiveStream", stream("a.example", "one"), "InvalidParameterValue"),
        ("ResumeLiveStream", stream("a.example", "one"), "InvalidParameterValue"),
        ("DescribeLiveStreamState", stream("a.example", "one"), "InvalidParameterValue"),
        ("DescribeLiveDomain", domain("a.example"), "ResourceNotFound.DomainNotExist"),
        ("ForbidLiveDomain", domain("a.example"), "ResourceNotFound.DomainNoRecord"),
        ("DescribeLivePushAuthKey", domain("a.example"), "ResourceNotFound.PushDomainNoRecord"),
        ("ModifyLivePushAuthKey", domain("a.example"), "ResourceNotFound.PushDomainNoRecord"),
        (
            "DeleteLiveDomain",
            json!({ "DomainName": "a.example", "DomainType": 0 }),
            "ResourceNotFound.DomainNotExist",
        ),
        (
            "AddLiveDomain",
            json!({ "DomainName": "a.example", "DomainType": 0 }),
            "FailedOperation.DomainAdded",
        ),
        (
            "AddLiveDomain",
            json!({ "DomainName": "x.a.example", "DomainType": 0 }),
            "FailedOperation.ParentDomainAdded",
        ),
        (
            "AddLiveDomain",
            json!({ "DomainName": "example", "DomainType": 0 }),
            "FailedOperation.SubDomainAdded",
        ),
    ] {
        assert_eq!(call(TWO, action, params).code(&server).await, code, "{action}");
    }
    let catalog = server.live.catalog();
    assert!(catalog.forbidden.is_empty() && catalog.domain("a.example").unwrap().enabled);
    assert_eq!(catalog.domain("a.example").unwrap().key, DOMAIN_KEY);
    assert_eq!(
        call(TWO, "DescribeLiveDomains", json!({})).good(&server).await["DomainList"][0]["Name"],
        "b.example"
    );
}

#[tokio::test]
async fn a_key_that_only_reads_neither_acts_nor_sees_keys() {
    let server = start().await;
    for (action, params) in [
        ("DropLiveStream", stream("a.example", "s")),
        ("ForbidLiveStream", stream("a.example", "s")),
        ("ModifyLivePushAuthKey", domain("a.example")),
        ("DescribeLivePushAuthKey", domain("a.example")),
        ("AddLiveDomain", json!({ "DomainName": "c.example", "DomainType": 0 })),
    ] {
        assert_eq!(
            call(READS, action, params).code(&server).await,
            "AuthFailure.UnauthorizedOperation",
            "{action}"
        );
    }
    call(READS, "DescribeLiveDomains", json!({})).good(&server).await;
}

#[tokio::test]
async fn a_stopped_account_is_told_why() {
    let server = start().await;
    for (status, code) in [
        (AccountStatus::Stopped, "ResourceNotFound.StopService"),
        (AccountStatus::Overdue, "ResourceNotFound.FreezeService"),
        (AccountStatus::ForceStopped, "ResourceNotFound.ForbidService"),
    ] {
        let account = Account { id: 1, status, max_pushes: 0 };
        server.live.change(live::Change::PutAccount(account), &by()).await.unwrap();
        assert_eq!(call(ONE, "DescribeLiveDomains", json!({})).code(&server).await, code);
    }
}

#[tokio::test]
async fn a_domain_is_added_changed_and_deleted() {
    let server = start().await;
    let add = json!({ "DomainName": "New.example", "DomainType": 0 });
    call(ONE, "AddLiveDomain", add.clone()).good(&server).await;
    assert_eq!(call(ONE, "AddLiveDomain", add).code(&server).await, "InvalidParameter.DomainAlreadyExist");
    let info =
        call(ONE, "DescribeLiveDomain", domain("new.example")).good(&server).await["DomainInfo"].clone();
    assert_eq!((info["Name"].as_str(), info["Type"].as_i64()), (Some("new.example"), Some(0)));
    assert_eq!(info["CreateTime"].as_str().map(str::len), Some("2026-11-22 12:00:00".len()));
    let key = |response: Value| response["PushAuthKeyInfo"].clone();
    let made = key(call(ONE, "DescribeLivePushAuthKey", domain("new.example")).good(&server).await);
    assert_eq!((made["Enable"].as_i64(), made["MasterAuthKey"].as_str().map(str::len)), (Some(1), Some(32)));
    let change = json!({ "DomainName": "new.example", "BackupAuthKey": "second", "AuthDelta": 60 });
    call(ONE, "ModifyLivePushAuthKey", change).good(&server).await;
    let changed = key(call(ONE, "DescribeLivePushAuthKey", domain("new.example")).good(&server).await);
    assert_eq!(changed["MasterAuthKey"], made["MasterAuthKey"], "what is not given stays as it is");
    assert_eq!(
        (changed["BackupAuthKey"].as_str(), changed["AuthDelta"].as_i64()),
        (Some("second"), Some(60))
    );
    call(ONE, "ForbidLiveDomain", domain("new.example")).good(&server).await;
    let off = json!({ "DomainStatus": 0 });
    assert_eq!(
        call(ONE, "DescribeLiveDomains", off).good(&server).await["DomainList"][0]["Name"],
        "new.example"
    );
    call(ONE, "EnableLiveDomain", domain("new.example")).good(&server).await;
    let as_play = json!({ "DomainName": "new.example", "DomainType": 1 });
    assert_eq!(call(ONE, "DeleteLiveDomain", as_play).code(&server).await, "ResourceNotFound.DomainNotExist");
    let as_push = json!({ "DomainName": "new.example", "DomainType": 0 });
    call(ONE, "DeleteLiveDomain", as_push).good(&server).await;
    assert!(server.live.catalog().domain("new.example").is_none());
    let play = json!({ "DomainName": "play.example", "DomainType": 1, "PlayType": 2 });
    call(ONE, "AddLiveDomain", play).good(&server).await;
    let change = json!({ "DomainName": "play.example", "Enable": 1, "AuthKey": "k1", "AuthBackKey": "k2" });
    call(ONE, "ModifyLivePlayAuthKey", change).good(&server).await;
    let area = json!({ "DomainName": "play.example", "PlayType": 3 });
    call(ONE, "ModifyLivePlayDomain", area).good(&server).await;
    let play = server.live.catalog().domain("play.example").unwrap().clone();
    assert_eq!((play.play_auth, play.play_key.as_str(), play.play_backup_key.as_str()), (true, "k1", "k2"));
    assert_eq!(
        call(ONE, "DescribeLiveDomains", json!({})).good(&server).await["PlayTypeCount"],
        json!([0, 0, 1])
    );
    for (name, code) in [
        ("no domain", "InvalidParameter.DomainFormatError"),
        ("192.0.2.1", "InvalidParameter.DomainFormatError"),
        (&*format!("{}.example", "x".repeat(250)), "InvalidParameter.DomainTooLong"),
    ] {
        let add = json!({ "DomainName": name, "DomainType": 0 });
        assert_eq!(call(ONE, "AddLiveDomain", add).code(&server).await, code, "{name}");
    }
}

#[tokio::test]
async fn a_stream_is_forbidden_listed_and_let_in_again() {
    let server = start().await;
    let state = || call(ONE, "DescribeLiveStreamState", stream("a.example", "s"));
    assert_eq!(state().good(&server).await["StreamState"], "inactive");
    let mut forbid = stream("a.example", "s");
    for (until, code) in [
        ("soon", "InvalidParameterValue"),
        ("2001-01-01T00:00:00Z", "InvalidParameterValue"),
        ("2999-01-01T00:00:00Z", "InvalidParameterValue"),
    ] {
        forbid["ResumeTime"] = until.into();
        assert_eq!(call(ONE, "ForbidLiveStream", forbid.clone()).code(&server).await, code, "{until}");
    }
    forbid["ResumeTime"] = model::Timestamp(SystemClock.now().millis() + 86_400_000).to_string().into();
    forbid["Reason"] = "because".into();
    call(ONE, "ForbidLiveStream", forbid).good(&server).await;
    assert_eq!(state().good(&server).await["StreamState"], "forbid");
    let list = call(ONE, "DescribeLiveForbidStreamList", json!({})).good(&server).await;
    assert_eq!(
        (list["TotalNum"].as_i64(), list["ForbidStreamList"][0]["StreamName"].as_str()),
        (Some(1), Some("s"))
    );
    assert_eq!(call(TWO, "DescribeLiveForbidStreamList", json!({})).good(&server).await["TotalNum"], 0);
    call(ONE, "ResumeLiveStream", stream("a.example", "s")).good(&server).await;
    assert_eq!(state().good(&server).await["StreamState"], "inactive");
}

#[tokio::test]
async fn the_event_list_is_paged_counted_filtered_and_turned_round() {
    let server = start().await;
    let began = SystemClock.now();
    for n in 0..12 {
        server.record(&format!("show-{n}"), 1, if n % 2 == 0 { (3, 0) } else { (18, 503) }).await;
    }
    server.record("other", 2, (3, 0)).await;
    let window = |more: Value| {
        let mut params = json!({ "StartTime": began.to_string(), "EndTime": SystemClock.now().to_string() });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(ONE, "DescribeLiveStreamEventList", params)
    };
    let names = |response: &Value| -> Vec<String> {
        let list = response["EventList"].as_array().unwrap();
        list.iter().map(|event| event["StreamName"].as_str().unwrap().to_owned()).collect()
    };
    let first = window(json!({})).good(&server).await;
    assert_eq!((first["TotalNum"].as_i64(), first["TotalPage"].as_i64()), (Some(12), Some(2)));
    assert_eq!((names(&first)[0].as_str(), names(&first).len()), ("show-11", 10));
    assert_eq!(first["EventList"][0]["ErrCode"], 18);
    assert_eq!(first["EventList"][0]["SubErrCode"], 503);
    let second = window(json!({ "PageNum": 2 })).good(&server).await;
    assert_eq!(names(&second), ["show-1", "show-0"]);
    let oldest = window(json!({ "IsAsc": 1, "PageSize": 3 })).good(&server).await;
    assert_eq!(names(&oldest), ["show-0", "show-1", "show-2"]);
    let strict = window(json!({ "StreamName": "show-1", "IsStrict": 1 })).good(&server).await;
    assert_eq!(strict["TotalNum"], 1);
    let fuzzy = window(json!({ "StreamName": "show-1" })).good(&server).await;
    assert_eq!(fuzzy["TotalNum"], 3);
    assert_eq!(window(json!({ "IsFilter": 1 })).good(&server).await["TotalNum"], 0, "none of them went live");
    assert_eq!(
        window(json!({ "PageNum": 101, "PageSize": 100 })).code(&server).await,
        "InvalidParameterValue"
    );
    let zh = window(json!({ "StreamName": "show-1", "IsStrict": 1 })).header("x-tc-language", "zh-CN");
    assert_ne!(zh.good(&server).await["EventList"][0]["StopReason"], strict["EventList"][0]["StopReason"]);
    let mut wrong = window(json!({}));
    for (start, end) in [
        ("yesterday", "2026-01-01T00:00:00Z"),
        ("2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z"),
        (&*began.to_string(), "2999-01-01T00:00:00Z"),
        (&*began.to_string(), &*model::Timestamp(began.millis() - 1_000).to_string()),
    ] {
        wrong.body = json!({ "StartTime": start, "EndTime": end }).to_string();
        assert_eq!(wrong.code(&server).await, "InvalidParameterValue", "{start} {end}");
    }
}

#[tokio::test]
async fn calls_above_the_documented_rate_are_refused() {
    let server = Server::start().await;
    let mut refused = 0;
    for _ in 0..130 {
        let client = call(ALL, "DescribeLiveForbidStreamList", json!({}));
        let response = client.send(&server).await;
        refused += usize::from(response["Error"]["Code"] == "RequestLimitExceeded");
        if refused > 0 {
            return;
        }
    }
    // On a machine that makes fewer than a hundred calls a second there is nothing to refuse.
}

#[tokio::test]
async fn from_beyond_this_machine_calls_need_tls() {
    let server = Server::start_with(web::Surface::All, |config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let far = call(ALL, "DescribeLiveDomains", json!({})).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(far.code(&server).await, "AuthFailure.UnauthorizedOperation");
    let tls = call(ALL, "DescribeLiveDomains", json!({}))
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-forwarded-proto", "https");
    tls.good(&server).await;
}
