//! Configuration as a whole: every key, every kind of mistake.

use std::time::Duration;

use model::admission::NameRule;

use super::settings::SETTINGS;
use super::*;

/// One good value for each key, other than its default.
/// What is said of a database in a build with PostgreSQL, and in one without.
const STORE_URL: &str = match cfg!(feature = "postgres") {
    true => "2:7: store.url: it cannot be read as postgres://user:password@host:5432/database",
    false => "2:7: store.url: this build keeps records in the data folder only",
};

/// The same of servers of NATS.
const CLUSTER_NATS: &str = match cfg!(feature = "cluster") {
    true => "2:8: cluster.nats: server 1 is none of NATS: write nats://host:4222",
    false => "2:8: cluster.nats: needs a build with the cluster in it",
};

const GOOD: &[(&str, &str, &str)] = &[
    ("node", "id", "\"01890a5d-ac96-774b-bcce-b302099a8057\""),
    ("node", "label", "\"tokyo-1\""),
    ("node", "default_domain", "\"\""),
    ("node", "domain_override", "false"),
    ("rtmp", "listen", "\"[::1]:1936\""),
    ("rtmp", "proxy_protocol", "[\"10.0.0.0/8\", \"2001:db8::1\"]"),
    ("rtmps", "listen", "\"[::1]:1937\""),
    ("rtmps", "cert", CERT),
    ("rtmps", "key", KEY),
    ("rtmps", "certs", CERTS),
    ("rtmps", "proxy_protocol", "[\"10.0.0.0/8\"]"),
    ("srt", "listen", "\"127.0.0.1:9001\""),
    ("srt", "latency", "\"250ms\""),
    ("srt", "passphrase", "\"correct horse battery\""),
    ("srt", "passphrases", "[\"a.example.com:correct horse battery\", \"b.example.com:\"]"),
    ("srt", "peer_timeout", "\"4s\""),
    ("http", "listen", "\"127.0.0.1:8081\""),
    ("http", "admin_listen", "\"127.0.0.1:9090\""),
    ("http", "trusted_proxies", "[\"10.0.0.0/8\"]"),
    ("http", "insecure", "true"),
    ("webrtc", "listen", "\"127.0.0.1:8001\""),
    ("webrtc", "tcp_listen", "\"127.0.0.1:8002\""),
    ("webrtc", "public_ip", "[\"203.0.113.9\"]"),
    ("https", "listen", "\"\""),
    ("https", "cert", CERT),
    ("https", "key", KEY),
    ("https", "certs", CERTS),
    ("css", "rate_limits", "false"),
    ("limits", "idle", "\"5s\""),
    ("limits", "path", "\"10s\""),
    ("limits", "unplayed", "\"10m\""),
    ("limits", "lag", "\"3s\""),
    ("limits", "message", "\"1MiB\""),
    ("limits", "fps", "120"),
    ("limits", "pushes", "7"),
    ("limits", "connections", "8"),
    ("limits", "connections_per_ip", "9"),
    ("limits", "connection_rate", "10"),
    ("limits", "handshake", "\"1500ms\""),
    ("limits", "setup", "\"1m\""),
    ("limits", "message_memory", "\"1GiB\""),
    ("limits", "cut_on_disable", "false"),
    ("limits", "names", "\"ascii\""),
    ("limits", "terse", "true"),
    ("limits", "strict_media", "true"),
    ("store", "url", "\"sqlite:lastframe.db\""),
    ("events", "timestamp_jump", "\"2s\""),
    ("events", "chunk_size", "65536"),
    ("events", "video_gap", "\"5s\""),
    ("events", "audio_gap", "\"off\""),
    ("events", "audio_step", "\"500ms\""),
    ("events", "frame_rate", "\"off\""),
    ("events", "gop", "\"4s\""),
    ("play", "merge", "\"off\""),
    ("play", "cache", "\"20s\""),
    ("play", "cache_bytes", "\"8MiB\""),
    ("play", "queue", "\"3s\""),
    ("play", "memory", "\"2GiB\""),
    ("play", "viewers", "11"),
    ("play", "linger", "\"1m\""),
    ("play", "wait", "\"off\""),
    ("play", "hls", "\"always\""),
    ("play", "hls_part", "\"500ms\""),
    ("play", "hls_segment", "\"4s\""),
    ("play", "hls_idle", "\"5m\""),
    ("play", "hls_stream_memory", "\"16MiB\""),
    ("play", "hls_memory", "\"256MiB\""),
    ("store", "keep", "\"60d\""),
    ("store", "keep_evidence", "\"1d\""),
    ("store", "reserve", "\"1MiB\""),
    ("records", "fold", "\"off\""),
    ("records", "ignore", "[\"192.0.2.0/24\", \"22/0\", \"18/503\"]"),
    ("console", "default_language", "\"ja\""),
    ("auth_hook", "url", "\"https://hook.example.com/ask\""),
    ("auth_hook", "timeout", "\"3s\""),
    ("auth_hook", "allow_private", "false"),
    ("callback", "allow_private", "true"),
    ("callback", "allow_networks", "[\"10.0.0.0/8\"]"),
    ("callback", "timeout", "\"5s\""),
    ("callback", "retries", "3"),
    ("callback", "retry_every", "\"1s\""),
    ("callback", "per_receiver", "2"),
    ("callback", "in_all", "9"),
    ("callback", "backlog", "100"),
    ("callback", "refused", "true"),
    ("callback", "flap", "\"5s\""),
    ("callback", "keep", "\"1d\""),
    ("proxy", "upstream", "\"rtmp://127.0.0.1:1936\""),
    ("proxy", "admit", "\"any\""),
    ("proxy", "timeout", "\"2s\""),
    ("proxy", "ca", AUTHORITY),
    #[cfg(feature = "acme")]
    ("acme", "names", "[\"push.example.com\"]"),
    // Without the feature no names may be given.
    #[cfg(not(feature = "acme"))]
    ("acme", "names", "[]"),
    ("acme", "directory", "\"https://localhost:14000/dir\""),
    ("acme", "contact", "[\"mailto:you@example.com\"]"),
    ("acme", "ca", AUTHORITY),
    ("acme", "challenge", "\"tls-alpn-01\""),
    ("cluster", "nats", NATS),
    ("cluster", "name", "\"east\""),
    ("cluster", "credentials", "\"/etc/lastframe/nats.creds\""),
    ("cluster", "ca", AUTHORITY),
    ("cluster", "cert", CERT),
    ("cluster", "key", KEY),
    ("cluster", "lease", "\"3s\""),
    ("cluster", "grace", "\"10s\""),
    ("cluster", "replicas", "3"),
    ("cluster", "advertise", "\"10.0.0.7:1935\""),
    ("cluster", "pull_idle", "\"4s\""),
    ("cluster", "pull_wait", "\"9s\""),
    ("cluster", "pulls", "7"),
];

/// A build without the cluster takes no servers.
const NATS: &str = match cfg!(feature = "cluster") {
    true => "\"nats://10.0.0.5:4222,tls://10.0.0.6:4222\"",
    false => "\"\"",
};

const AUTHORITY: &str =
    concat!("\"", env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/support/tls/authority.pem\"");

const CERT: &str = concat!("\"", env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/support/tls/localhost.pem\"");
const KEY: &str = concat!("\"", env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/support/tls/localhost.key\"");
const CERTS: &str = concat!(
    "[\"",
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/e2e/support/tls/localhost.pem:",
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/e2e/support/tls/localhost.key\"]"
);

/// What a key cannot be without: its own section, another key of it, and a value for that.
fn beside(section: &str, key: &str) -> Option<(&'static str, &'static str)> {
    let secured = matches!(section, "rtmps" | "https");
    match key {
        "cert" if secured => Some(("key", KEY)),
        "key" if secured => Some(("cert", CERT)),
        _ => None,
    }
}

fn read(text: &str) -> Result<Loaded, ConfigError> {
    read_with(text, &[])
}

fn read_with(text: &str, env: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lastframe.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
}

/// The mistakes, without the folder that the file lay in.
fn mistakes(text: &str) -> Vec<String> {
    match read(text) {
        Err(ConfigError::Mistakes(found)) => found
            .iter()
            .map(|m| m.to_string())
            .map(|line| line.split_once("lastframe.toml:").map_or(line.clone(), |(_, rest)| rest.to_owned()))
            .collect(),
        other => panic!("{text}\n{other:?}"),
    }
}

#[test]
fn every_key_is_taken_from_the_file_and_from_the_environment() {
    for setting in SETTINGS {
        let (_, _, value) = GOOD
            .iter()
            .find(|(section, key, _)| *section == setting.section && *key == setting.key)
            .unwrap_or_else(|| panic!("{}.{} has no vector", setting.section, setting.key));
        let beside = beside(setting.section, setting.key)
            .map_or(String::new(), |(key, value)| format!("{key} = {value}\n"));
        let text = format!("[{}]\n{beside}", setting.section);
        let from_file = read(&format!("{text}{} = {value}\n", setting.key)).unwrap().config;
        let bare = value.trim_matches(['[', ']']).replace('"', "");
        let text = if beside.is_empty() { String::new() } else { text };
        let from_env = read_with(&text, &[(&setting.env_name(), &bare)]).unwrap().config;
        assert_eq!(format!("{from_file:?}"), format!("{from_env:?}"), "{}.{}", setting.section, setting.key);
        let unchanged = match setting.key {
            "url" => setting.section != "auth_hook",
            "nats" => !cfg!(feature = "cluster"),
            "names" => setting.section == "acme" && !cfg!(feature = "acme"),
            _ => false,
        };
        let default = format!("{:?}", Config::default());
        assert_eq!(format!("{from_file:?}") == default, unchanged, "{}.{}", setting.section, setting.key);
    }
    assert_eq!(GOOD.len(), SETTINGS.len());
}

#[test]
fn values_mean_what_they_say() {
    let config = read(
        "[limits]\nidle = \"5s\"\nnames = \"ascii\"\nfps = 59.94\n[records]\nfold = \"off\"\nignore = [\"22/0\", \"192.0.2.7\"]\n",
    )
    .unwrap()
    .config;
    assert_eq!(config.limits.idle, Duration::from_secs(5));
    assert_eq!(config.limits.names, NameRule::Ascii);
    assert_eq!(config.limits.fps, Some(59.94));
    assert_eq!(config.records.fold, None);
    let ignored = [Ignore::Code(model::Code::new(22, 0)), Ignore::Network("192.0.2.7/32".parse().unwrap())];
    assert_eq!(config.records.ignore, ignored);
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = [("LASTFRAME_LIMITS_IDLE", "9s"), ("LASTFRAME_HTTP_TRUSTED_PROXIES", "10.0.0.1,10.0.0.2")];
    let config = read_with("[limits]\nidle = \"5s\"\n", &env).unwrap().config;
    assert_eq!(config.limits.idle, Duration::from_secs(9));
    assert_eq!(config.http.trusted_proxies.len(), 2);
}

#[test]
fn strange_variables_are_told_and_do_no_harm() {
    let loaded =
        read_with("", &[("LASTFRAME_PORT", "tcp://10.0.0.1:1935"), ("LASTFRAME_LOG", "debug")]).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("LASTFRAME_PORT"), "{:?}", loaded.warnings);
}

#[test]
fn two_listeners_on_one_port_are_a_mistake_and_both_are_named() {
    let told = |text: &str, env: &[(&str, &str)]| match read_with(text, env) {
        Err(ConfigError::Mistakes(mistakes)) => mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let same = told("[http]\nlisten = \"127.0.0.1:9000\"\nadmin_listen = \"0.0.0.0:9000\"\n", &[]);
    assert_eq!(same.len(), 1, "{same:?}");
    assert!(
        same[0].contains(":3:16: http.admin_listen: 0.0.0.0:9000 meets http.listen (127.0.0.1:9000)"),
        "{same:?}"
    );
    let default = told("[rtmp]\nlisten = \"127.0.0.1:8080\"\n", &[]);
    assert!(
        default[0].contains("rtmp.listen: 127.0.0.1:8080 meets http.listen (0.0.0.0:8080)"),
        "{default:?}"
    );
    let env = told("", &[("LASTFRAME_HTTP_LISTEN", "127.0.0.1:1935")]);
    assert!(env[0].starts_with("environment variable LASTFRAME_HTTP_LISTEN: http.listen:"), "{env:?}");
    for fine in [
        "[http]\nlisten = \"127.0.0.1:9000\"\nadmin_listen = \"127.0.0.2:9000\"\n",
        "[rtmp]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n",
    ] {
        read_with(fine, &[]).unwrap();
    }
}

#[test]
fn a_mistake_names_line_column_key_and_what_to_write() {
    let vectors = [
        ("[limits]\n\nidle = \"70x\"\n", "3:8: limits.idle: \"70x\" does not fit; write a duration such as"),
        (
            "[limits]\nidel = \"70s\"\n",
            "2:1: limits.idel: there is no key of this name; `idle` was probably meant",
        ),
        (
            "[limts]\nidle = \"70s\"\n",
            "1:2: limts: there is no table of this name; `limits` was probably meant",
        ),
        ("[cluster]\nreplicas = 2\n", "2:12: cluster.replicas: 2 does not fit; write 1, 3 or 5"),
        ("[cluster]\nnats = \"n1\"\n", CLUSTER_NATS),
        ("[limits]\nmessage = \"1KiB\"\n", "2:11: limits.message: \"1KiB\" is out of range"),
        ("[limits]\npushes = -1\n", "2:10: limits.pushes: -1 does not fit; write a whole number"),
        (
            "[play]\nmerge = \"5s\"\n",
            "2:9: play.merge: \"5s\" is out of range; write a duration from \"10ms\" to",
        ),
        ("[limits]\nfps = 0\n", "2:7: limits.fps: 0 does not fit; write a number above 0, or \"off\""),
        ("[play]\nhls = \"never\"\n", "2:7: play.hls: \"never\" does not fit; write \"on_request\""),
        ("[play]\nhls_part = \"5s\"\n", "2:12: play.hls_part: \"5s\" is out of range; write a duration from"),
        (
            "[rtmp]\nlisten = \"1935\"\n",
            "2:10: rtmp.listen: \"1935\" does not fit; write an address to listen on",
        ),
        (
            "[rtmp]\nproxy_protocol = [\"10.0.0.0/33\"]\n",
            "2:18: rtmp.proxy_protocol: `10.0.0.0/33` is no network",
        ),
        ("[http]\ninsecure = \"yes\"\n", "2:12: http.insecure: \"yes\" does not fit; write true or false"),
        ("[records]\nignore = [\"18/999\"]\n", "2:10: records.ignore: `18/999` is neither a network"),
        ("[console]\ndefault_language = \"fr\"\n", "2:20: console.default_language: \"fr\" is no language"),
        ("[store]\nurl = \"postgres://:hush@:x/db\"\n", STORE_URL),
        (
            "[srt]\nlatency = \"1ms\"\n",
            "2:11: srt.latency: \"1ms\" is out of range; write a time from \"20ms\" to \"10s\"",
        ),
        (
            "[srt]\npassphrase = \"short\"\n",
            "2:14: srt.passphrase: does not fit; a passphrase has 10 to 79 bytes, and an empty one turns encryption off",
        ),
        ("[rtmps]\ncert = \"/no/such.pem\"\n", "2:8: rtmps.cert: has no key beside it"),
        ("[acme]\nnames = [\"*.example.com\"]\n", "2:9: acme.names: `*.example.com` is no host name"),
        ("[acme]\ndirectory = \"http://ca\"\n", "2:13: acme.directory: is no directory of an authority"),
        (
            "[acme]\nchallenge = \"dns-01\"\n",
            "2:13: acme.challenge: \"dns-01\" is no challenge; write \"http-01\"",
        ),
        #[cfg(feature = "acme")]
        (
            "[https]\nlisten = \"\"\n[acme]\nnames = [\"a.test\"]\nchallenge = \"tls-alpn-01\"\n",
            "5:13: acme.challenge: is answered by [https], which is off",
        ),
        ("[acme]\ncontact = [\"you@example.com\"]\n", "2:11: acme.contact: is a list of addresses"),
        ("[https]\nkey = \"/no/such.key\"\n", "2:7: https.key: has no certificate beside it"),
        (
            "[https]\ncert = \"/no/such.pem\"\nkey = \"/no/such.key\"\n",
            "2:8: https.cert: /no/such.pem: No such file",
        ),
        (
            "[https]\ncerts = [{ cert = \"a.pem\" }]\n",
            "2:9: https.certs: is a list of certificates with their keys",
        ),
        (
            "[rtmps]\ncerts = [{ cert = \"/a.pem\", key = \"/a.key\" }]\n",
            "2:9: rtmps.certs: entry 1, cert: /a.pem",
        ),
        ("limits = 3\n", "1:1: limits: is a table; write [limits]"),
        ("[limits\n", "1:8: this is not TOML: "),
        ("[[account]]\nid = 1\nstatus = \"gone\"\n", "3:10: account.1.status: unknown variant `gone`"),
        ("[[account]]\nid = 1\n[[account]]\nid = 1\n", "4:6: account.2.id: stands in the file twice"),
        ("[[domain]]\nname = \"a.example\"\n", "1:1: domain.1: missing field `account`"),
        ("[[domain]]\nname = \"a b\"\naccount = 1\nauth = false\n", "2:8: domain.1.name: is no host name"),
        ("[[domain]]\nname = \"a.example\"\naccount = 1\n", "1:1: domain.1.key: is missing; write key = "),
        (
            "[[domain]]\nname = \"a.example\"\naccount = 1\nkye = \"x\"\n",
            "4:1: domain.1.kye: unknown field `kye`",
        ),
        ("[[api_key]]\nid = \"a\"\nsecret = \"short\"\n", "3:10: api_key.1.secret: is too short"),
    ];
    for (text, expected) in vectors {
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(expected), "{text}\nfound:    {}\nexpected: {expected}", found[0]);
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let found = mistakes("[records]\nfold = 1\n[limits]\npath = \"x\"\nidle = \"x\"\n");
    let lines: Vec<_> = found.iter().map(|m| m.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["2", "4", "5"]);
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    match read_with("", &[("LASTFRAME_LIMITS_IDLE", "soon")]) {
        Err(error @ ConfigError::Mistakes(_)) => {
            assert!(
                error.to_string().contains("environment variable LASTFRAME_LIMITS_IDLE: limits.idle:"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn secrets_are_not_repeated_in_messages() {
    for text in [
        "[[api_key]]\nid = \"a\"\nsecret = \"hunter2\"\n",
        "[[api_key]]\nid = \"a\"\nsecret = [\"hunter2\"]\n",
        "[[domain]]\nname = \"a.example\"\naccount = 1\nkey = {hunter2 = 1}\n",
        "[[relay]]\nname = \"a\"\ntarget = [\"hunter2\"]\n",
        "[[relay]]\nname = \"a\"\ntarget = \"http://host/live/hunter2\"\n",
        "[proxy]\nupstream = \"rtmp://host/live?token=hunter2\"\n",
    ] {
        let found = mistakes(text);
        assert!(!found.iter().any(|m| m.contains("hunter2")), "{found:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(Some(std::path::Path::new("/nowhere/lastframe.toml")), std::iter::empty()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("/nowhere/lastframe.toml") && text.contains("--config"), "{text}");
}

#[test]
fn entries_of_the_catalog_are_read() {
    let config = read(
        "[[account]]\nid = 1000000001\nstatus = \"overdue\"\n\n[[domain]]\nname = \"Push.Example.com\"\naccount = 1000000001\n\
         key = \"k\"\nconflict = \"backup\"\nallow = [\"10.0.0.0/8\"]\napps = [{ name = \"live\", enabled = false }]\n\
         channel_mode = true\nchannels = [{ name = \"a\" }]\n\n[[api_key]]\nid = \"AKID1\"\nsecret = \"0123456789abcdef\"\nrole = \"viewer\"\n",
    )
    .unwrap()
    .config;
    assert_eq!(config.accounts[0].status, model::catalog::AccountStatus::Overdue);
    assert_eq!(config.domains[0].name, "push.example.com");
    assert!(!config.domains[0].apps[0].enabled && config.domains[0].channels[0].enabled);
    assert_eq!(config.api_keys[0].role, model::catalog::Role::Viewer);
}

#[test]
fn relays_are_read_and_their_mistakes_told() {
    let rule = |more: &str| format!("[[relay]]\nname = \"copy\"\n{more}\n");
    let config = read(&rule("app = \"live\"\ntarget = \"rtmp://host/{app}/{stream}\"")).unwrap().config;
    let fits = |app: &str| config.relays[0].fits(&model::StreamKey::new("any.example", app, "s"));
    assert!(fits("live") && !fits("vod"));
    let authority = rule(&format!("target = \"rtmps://host/{{app}}/{{stream}}\"\nca = {AUTHORITY}"));
    assert!(read(&authority).unwrap().config.relays[0].ca.is_some());
    for (text, line, what) in [
        (rule("target = \"http://host/a/b\""), "3", "rtmp://"),
        (rule("target = \"rtmp://host\""), "3", "app and stream"),
        (rule("target = \"rtmp://host/a/{name}\""), "3", "{stream}"),
        (rule("target = \"rtmp://host/a/b\"\nca = \"/nowhere.pem\""), "4", "/nowhere.pem"),
        (rule("targets = \"rtmp://host/a/b\""), "3", "targets"),
        ("[[relay]]\nname = \"\"\ntarget = \"rtmp://host/a/b\"\n".to_owned(), "2", "name"),
    ] {
        let found = mistakes(&text);
        assert!(found[0].starts_with(&format!("{line}:")) && found[0].contains(what), "{found:?}");
    }
    let twice = rule("target = \"rtmp://host/a/b\"").repeat(2);
    assert!(mistakes(&twice)[0].contains("twice"));
}

#[test]
fn a_listener_without_a_certificate_of_its_own_shows_the_others() {
    let config = read(&format!("[rtmps]\ncert = {CERT}\nkey = {KEY}\n")).unwrap().config;
    let [rtmps, https] = config.certificates();
    assert!(rtmps.len() == 1 && rtmps == https && config.rtmps.wanted && !config.https.wanted);
    let certs =
        format!("[https]\ncerts = [{{ cert = {CERT}, key = {KEY} }}, {{ cert = {CERT}, key = {KEY} }}]\n");
    let [rtmps, https] = read(&certs).unwrap().config.certificates();
    assert!(rtmps.len() == 2 && rtmps == https);
    assert_eq!(Config::default().certificates(), [Vec::new(), Vec::new()]);
}

#[test]
fn the_reference_names_every_key_with_its_default() {
    let reference = include_str!("../../../../docs/configuration.md");
    for setting in SETTINGS {
        let section =
            reference.split("\n## ").find(|part| part.starts_with(&format!("`[{}]`", setting.section)));
        let section = section.unwrap_or_else(|| panic!("[{}] is not in the reference", setting.section));
        assert!(
            section.contains(&format!("\n| `{}` |", setting.key)),
            "{}.{} is not in the reference",
            setting.section,
            setting.key
        );
    }
    for table in super::tables::TABLES {
        assert!(reference.contains(&format!("\n## `[[{table}]]`")), "[[{table}]] is not in the reference");
    }
}

#[cfg(feature = "cluster")]
#[test]
fn a_node_that_others_cannot_reach_for_its_streams_is_doubted() {
    let doubts = |text: &str| read(text).unwrap().warnings;
    let nats = "[cluster]\nnats = \"nats://10.0.0.5:4222\"\n";
    let local = "[rtmp]\nlisten = \"127.0.0.1:1935\"\n";
    assert_eq!(doubts(nats), Vec::<String>::new());
    assert!(doubts(&format!("{local}{nats}"))[0].contains("no other machine can fetch"));
    assert_eq!(doubts(&format!("{local}{nats}advertise = \"10.0.0.7:1935\"\n")), Vec::<String>::new());
    let off = format!("[rtmps]\nlisten = \"\"\n{nats}advertise = \"rtmps://n1:1936\"\n");
    assert!(doubts(&off)[0].contains("RTMPS is off"));
    let note = |text: &str| super::advertise::note(&read(text).unwrap().config);
    assert!(note(nats).unwrap().contains("with port 1935"));
    assert_eq!(note(local), None);
}
