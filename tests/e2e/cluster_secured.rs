//! NATS and PostgreSQL over TLS with an authority of one's own, and with each kind of credentials; what is wrong with them
//! is named in the log, and the secret is not.

use serde_json::json;

use crate::support::authority::{Authority, Issued};
use crate::support::clock::{PATIENCE, until_true};
use crate::support::http;
use crate::support::nats::Nats;
use crate::support::nats_account::NatsAccount;
use crate::support::postgres::postgres;
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// In a URL `h%40sh-hush`.
const PASSWORD: &str = "h@sh-hush";

/// What a user of the nodes needs in NATS: the list of docs/cluster.md.
const MAY: &str = r#"["$KV.lastframe_nodes.>", "$KV.lastframe_leases.>", "$KV.lastframe_catalog.>",
    "$KV.lastframe_pushes.>", "$KV.lastframe_secrets.>", "$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "lastframe.>", "_INBOX.>"]"#;

#[test]
fn nodes_meet_over_tls_with_certificates_a_password_and_no_more_rights_than_the_documentation_names() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let (server, node) = (authority.issue("server", "127.0.0.1"), authority.issue("node", "node.test"));
    let config = format!(
        "{}authorization {{ users: [ {{ user: node, password: \"{PASSWORD}\", \
         permissions: {{ publish: {MAY}, subscribe: {MAY} }} }} ] }}\n",
        tls(&server, &authority)
    );
    let Some(nats) = Nats::configured(folder.path(), &config) else { return };
    let url = |password: &str| format!("tls://node:{password}@{}", nats.address());
    let start = |label: &str, url: &str, ca: &Authority| {
        Setup::open()
            .env("LASTFRAME_NODE_LABEL", label)
            .env("LASTFRAME_CLUSTER_NATS", url)
            .env("LASTFRAME_CLUSTER_CA", ca.certificate.to_str().unwrap())
            .env("LASTFRAME_CLUSTER_CERT", node.certificate.to_str().unwrap())
            .env("LASTFRAME_CLUSTER_KEY", node.key.to_str().unwrap())
            .start()
    };
    let (east, mut west) =
        (start("east", &url("h%40sh-hush"), &authority), start("west", &url("h%40sh-hush"), &authority));
    meet(&[&east, &west]);
    carries_pushes(&east, &west);
    west.terminate();
    west.start_again();
    meet(&[&east, &west]);

    let elsewhere = tempfile::tempdir().unwrap();
    let other = start("stranger", &url("h%40sh-hush"), &Authority::new(elsewhere.path()));
    says(&other, "the certificate of 127.0.0.1 is not accepted: invalid peer certificate: UnknownIssuer");
    stays_out(&other);
    let other = start("guesser", &url("wrong%40guess"), &authority);
    says(&other, "authorization violation: it does not take the user, the password");
    stays_out(&other);
    for secret in [PASSWORD, "h%40sh-hush", "wrong@guess", "wrong%40guess"] {
        for server in [&east, &west, &other] {
            assert!(!server.printed().contains(secret), "{secret} is in the log");
        }
    }
}

#[test]
fn nodes_meet_with_credentials_of_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let (account, stranger) = (NatsAccount::new(), NatsAccount::new());
    let Some(nats) = Nats::configured(folder.path(), &account.config()) else { return };
    let start = |label: &str, account: &NatsAccount| {
        let (file, seed) = account.user(folder.path());
        let server = Setup::open()
            .env("LASTFRAME_NODE_LABEL", label)
            .env("LASTFRAME_CLUSTER_NATS", &nats.url())
            .env("LASTFRAME_CLUSTER_CREDENTIALS", file.to_str().unwrap())
            .start();
        (server, seed)
    };
    let ((east, one), (west, two)) = (start("east", &account), start("west", &account));
    meet(&[&east, &west]);
    carries_pushes(&east, &west);
    let (other, three) = start("stranger", &stranger);
    says(&other, "authorization violation: it does not take the user, the password or the credentials");
    stays_out(&other);
    for (server, seed) in [(&east, one), (&west, two), (&other, three)] {
        assert!(!server.printed().contains(&seed), "the seed is in the log");
    }
}

#[test]
fn records_are_shipped_over_tls_with_a_password_and_what_is_wrong_is_named() {
    let Some(mut database) = postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let issued = authority.issue("database", "127.0.0.1");
    let port = database.restart_with_password(&issued.certificate, &issued.key);
    let start = |password: &str, authority: &Authority| {
        let ca = authority.certificate.display();
        let url = format!(
            "postgres://lastframe:{password}@127.0.0.1:{port}/postgres?sslmode=require&sslrootcert={ca}"
        );
        Setup::open().env("LASTFRAME_STORE_URL", &url).start()
    };
    let server = start("hush", &authority);
    Pusher::push(server.rtmp(), "shipped").unwrap().delete_stream().unwrap();
    until_true("the record in the database", PATIENCE, || {
        database.number("select count(*) from record") == 1
    });
    let how = database
        .sql("select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'lastframe'")
        .unwrap();
    assert_eq!(how, "t", "over TLS");

    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = start("hush", &Authority::new(elsewhere.path()));
    says(&stranger, "invalid peer certificate: UnknownIssuer");
    let guesser = start("wr0ng-guess", &authority);
    says(&guesser, "password authentication failed for user");
    for other in [&stranger, &guesser] {
        Pusher::push(other.rtmp(), "kept").unwrap().delete_stream().unwrap();
        assert_eq!(other.code("kept"), "1/0", "recorded here meanwhile");
        assert!(ready(other).contains("database: away"), "{}", ready(other));
    }
    for (server, secret) in [(&server, "hush"), (&stranger, "hush"), (&guesser, "wr0ng-guess")] {
        assert!(!server.printed().contains(secret), "{secret} is in the log: {}", server.printed());
    }
    assert_eq!(database.number("select count(*) from record"), 1, "nothing of theirs is there");
}

/// A server that shows a certificate and wants one.
fn tls(server: &Issued, authority: &Authority) -> String {
    format!(
        "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}\n",
        server.certificate, server.key, authority.certificate
    )
}

fn ready(server: &Server) -> String {
    http::request(server.http(), "GET", "/readyz", &[], &[]).unwrap().text()
}

fn meet(servers: &[&Server]) {
    for server in servers {
        until_true("the nodes to see each other", PATIENCE, || {
            let nodes = server.get("/api/v1/cluster");
            let alive = nodes["nodes"].as_array().into_iter().flatten().filter(|node| node["alive"] == true);
            alive.count() == servers.len() && ready(server).contains("cluster: connected")
        });
    }
}

/// Everything that a node needs of NATS: a lease, heartbeats, commands, the catalog.
fn carries_pushes(east: &Server, west: &Server) {
    let mut push = Pusher::push(east.rtmp(), "shared").unwrap();
    push.send_media(500).unwrap();
    let key = json!({ "domain": DOMAIN, "app": "live", "stream": "shared" });
    until_true("the push to be dropped from the other node", PATIENCE, || {
        west.post("/api/v1/streams/drop", &key)["dropped"] == 1
    });
    assert!(push.wait_for_cut().text.starts_with("[21/100]"));
    assert_eq!(east.code("shared"), "21/100");
    Pusher::push(west.rtmp(), "shared").unwrap().delete_stream().unwrap();
    west.post("/api/v1/streams/forbid", &json!({ "domain": DOMAIN, "app": "live", "stream": "kept-out" }));
    until_true("the other node to know it", PATIENCE, || Pusher::push(east.rtmp(), "kept-out").is_err());
}

fn says(server: &Server, what: &str) {
    until_true(&format!("the log to say {what:?}"), PATIENCE, || server.printed().contains(what));
}

fn stays_out(server: &Server) {
    assert!(ready(server).contains("cluster: away"), "{}", ready(server));
    let told = Pusher::push(server.rtmp(), "early").unwrap_err().told();
    assert!(told.text.starts_with("[18/101]"), "{told:?}");
}
