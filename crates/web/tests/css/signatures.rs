//! Who calls: signatures, clocks, replays, what two readers could take differently, rates, transport.

use super::*;

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
