//! Every refusal by its real condition, and the order in which they are given.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy itself exempts test functions only")]

use std::net::IpAddr;

use model::admission::{Admission, AdmissionSettings, NameRule, PushRequest, Refused, decide};
use model::catalog::{Account, AccountStatus, App, Channel, ConflictRule, Domain, DomainKind, Forbidden};
use model::sign::{Algorithm, signed_query};
use model::{Catalog, Code, PushUrl, Refusal, StreamKey, Timestamp};
use serde_json::json;

const NOW: Timestamp = Timestamp(1_763_841_600_000);
const IN_AN_HOUR: Timestamp = Timestamp(NOW.0 + 3_600_000);
const HOST: &str = "push.example.com";
const KEY: &str = "0123456789abcdef";

/// A catalog with one account and one domain that asks for signatures, and a push that it admits.
struct Case {
    settings: AdmissionSettings,
    account: Account,
    domain: Domain,
    forbidden: Vec<StreamKey>,
    host: &'static str,
    app: &'static str,
    name: String,
    sni: Option<&'static str>,
    ip: &'static str,
}

impl Case {
    fn new() -> Self {
        Self {
            settings: AdmissionSettings::default(),
            account: Account { id: 7, status: AccountStatus::Active, max_pushes: 100 },
            domain: Domain { max_pushes: 50, max_pushes_per_stream: 2, ..Domain::new(HOST, 7, KEY) },
            forbidden: Vec::new(),
            host: HOST,
            app: "live",
            name: signed("demo"),
            sni: None,
            ip: "192.0.2.7",
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut case = Self::new();
        change(&mut case);
        case
    }

    fn decide(&self) -> Result<Admission, Box<Refused>> {
        let mut catalog = Catalog::default();
        catalog.accounts.insert(self.account.id, self.account.clone());
        catalog.domains.insert(self.domain.name.clone(), self.domain.clone());
        let (since, until, reason) = (Timestamp(0), IN_AN_HOUR, "complaint 4711".to_owned());
        for key in self.forbidden.iter().cloned() {
            catalog.forbidden.insert(
                key.clone(),
                Forbidden { key, since, until, reason: reason.clone(), by: String::new() },
            );
        }
        let url = PushUrl::from_rtmp(&format!("rtmp://{}/{}", self.host, self.app), self.app, &self.name);
        let client_ip: IpAddr = self.ip.parse().unwrap();
        decide(&catalog, &self.settings, &PushRequest { url: &url, sni: self.sni, client_ip, now: NOW })
    }

    #[track_caller]
    fn refusal(&self) -> Refusal {
        self.decide().unwrap_err().refusal
    }

    #[track_caller]
    fn sub_errcode(&self) -> u16 {
        let code = self.refusal().code();
        assert_eq!(code.errcode, 18);
        code.sub_errcode
    }
}

fn signed(stream: &str) -> String {
    format!("{stream}?{}", signed_query(KEY, stream, IN_AN_HOUR, Algorithm::Md5))
}

#[test]
fn a_push_in_order_is_admitted_with_its_limits() {
    let admission = Case::new().decide().unwrap();
    let expected = Admission {
        test: false,
        key: StreamKey::new(HOST, "live", "demo"),
        account: 7,
        conflict: ConflictRule::Replace,
        priority: None,
        max_account: 100,
        max_domain: 50,
        max_stream: 2,
        expires: Some(IN_AN_HOUR),
    };
    assert_eq!(admission, expected);
}

/// A push with everything wrong, put right one thing at a time.
#[test]
fn checks_are_made_in_the_documented_order() {
    let mut case = Case::with(|c| {
        c.settings.default_domain = String::new();
        c.host = "192.0.2.1";
        c.domain.kind = DomainKind::Play;
        c.domain.enabled = false;
        c.domain.account = 8;
        c.account.status = AccountStatus::ForceStopped;
        c.domain.block = vec!["192.0.2.0/24".parse().unwrap()];
        c.domain.allow = vec!["198.51.100.0/24".parse().unwrap()];
        c.domain.apps = vec![App { name: "live".into(), enabled: false, conflict: None, test: false }];
        c.domain.channel_mode = true;
        c.forbidden = vec![StreamKey::new(HOST, "live", "demo")];
        c.app = "li ve";
        c.name = "de mo".into();
    });
    let expired = signed_query(KEY, "demo", NOW, Algorithm::Md5).replace("txSecret", "x");
    let unsigned = signed_query(KEY, "demo", IN_AN_HOUR, Algorithm::Md5).replace("txSecret", "x");
    type Step<'a> = (u16, &'a dyn Fn(&mut Case));
    let steps: [Step<'_>; 18] = [
        (300, &|c| c.host = "-"),
        (302, &|c| c.host = HOST),
        (301, &|c| c.domain.kind = DomainKind::Push),
        (303, &|c| c.domain.enabled = true),
        (200, &|c| c.account.id = 8),
        (203, &|c| c.account.status = AccountStatus::Active),
        (400, &|c| c.domain.block.clear()),
        (401, &|c| c.domain.allow.clear()),
        (308, &|c| c.name = "demo".into()),
        (309, &|c| c.app = "live"),
        (304, &|c| c.domain.apps.clear()),
        (500, &|c| c.name = format!("demo?{expired}")),
        (501, &|c| c.name = format!("demo?{unsigned}")),
        (502, &|c| c.name = format!("demo?{unsigned}&txSecret=0")),
        (503, &|c| c.name = signed("demo")),
        (306, &|c| c.domain.channels = vec![Channel { name: "demo".into(), enabled: false }]),
        (307, &|c| c.domain.channels[0].enabled = true),
        (305, &|c| c.forbidden.clear()),
    ];
    for (sub_errcode, put_right) in steps {
        assert_eq!(case.sub_errcode(), sub_errcode);
        put_right(&mut case);
    }
    assert!(case.decide().is_ok());
}

#[test]
fn an_account_out_of_service_is_told_by_its_state() {
    for (status, sub_errcode) in
        [(AccountStatus::Stopped, 201), (AccountStatus::Overdue, 202), (AccountStatus::ForceStopped, 203)]
    {
        assert_eq!(Case::with(|c| c.account.status = status).sub_errcode(), sub_errcode);
    }
}

#[test]
fn an_address_or_no_host_means_the_default_domain_where_there_is_one() {
    for host in ["192.0.2.1", "[2001:db8::1]:1935", ""] {
        let case = Case::with(|c| {
            c.host = host;
            c.settings.default_domain = "Push.Example.com".into();
        });
        assert_eq!(case.decide().unwrap().key.domain, HOST, "{host}");
    }
    let without = |host| Case::with(|c| (c.host, c.settings.default_domain) = (host, String::new()));
    assert_eq!(without("192.0.2.1").refusal(), Refusal::IpNotAllowed { ip: "192.0.2.1".parse().unwrap() });
    assert_eq!(without("").refusal(), Refusal::DomainInvalid { domain: None });
    assert_eq!(without("-x-").sub_errcode(), 302);
}

#[test]
fn the_tls_server_name_counts_only_where_the_url_names_no_domain() {
    assert!(Case::with(|c| (c.host, c.sni) = ("192.0.2.1", Some("PUSH.example.com"))).decide().is_ok());
    assert!(Case::with(|c| (c.host, c.sni) = ("", Some(HOST))).decide().is_ok());
    assert_eq!(Case::with(|c| (c.host, c.sni) = ("other.example", Some(HOST))).sub_errcode(), 301);
    assert_eq!(Case::with(|c| (c.host, c.sni) = ("192.0.2.1", Some("192.0.2.1"))).sub_errcode(), 301);
}

#[test]
fn a_domain_in_the_query_overrides_the_urls_where_allowed() {
    for parameter in
        ["vhost=PUSH.example.com", "domain=push.example.com:1935", "domain=x.example&vhost=push.example.com"]
    {
        let case = |allowed| {
            Case::with(|c| {
                c.host = "cdn.example";
                c.name = format!("{}&{parameter}", signed("demo"));
                c.settings.allow_domain_override = allowed;
            })
        };
        assert_eq!(case(true).decide().unwrap().key.domain, HOST, "{parameter}");
        assert_eq!(case(false).sub_errcode(), 301, "{parameter}");
    }
    assert!(Case::with(|c| c.name = format!("{}&vhost=", signed("demo"))).decide().is_ok());
}

#[test]
fn names_are_as_strict_as_the_setting() {
    let case = |names| {
        Case::with(|c| {
            c.name = signed("配信");
            c.settings.names = names;
        })
    };
    assert_eq!(case(NameRule::Utf8).decide().unwrap().key.stream, "配信");
    assert_eq!(case(NameRule::Ascii).sub_errcode(), 308);
    assert_eq!(Case::with(|c| c.name = String::new()).sub_errcode(), 308);
    assert_eq!(Case::with(|c| c.app = "").sub_errcode(), 309);
}

#[test]
fn either_key_and_either_hash_sign_a_push() {
    let backup = Case::with(|c| (c.domain.key, c.domain.backup_key) = ("new".into(), KEY.into()));
    assert!(backup.decide().is_ok());
    let sha256 = signed_query(KEY, "demo", IN_AN_HOUR, Algorithm::Sha256);
    assert!(Case::with(|c| c.name = format!("demo?{sha256}")).decide().is_ok());
    let old = Case::with(|c| c.domain.key = "new".into());
    assert_eq!((old.sub_errcode(), old.refusal().key()), (503, "secret_mismatch"));
}

#[test]
fn a_domain_without_signatures_takes_bare_names() {
    let case = Case::with(|c| {
        c.domain.auth = false;
        c.name = "demo".into();
    });
    assert_eq!(case.decide().unwrap().expires, None);
}

#[test]
fn a_forbidden_stream_is_let_in_from_its_resume_time_on() {
    let key = StreamKey::new(HOST, "live", "demo");
    assert_eq!(Case::with(|c| c.forbidden = vec![key]).sub_errcode(), 305);
    let mut catalog = Catalog::default();
    let key = StreamKey::new(HOST, "live", "demo");
    let forbidden = Forbidden {
        key: key.clone(),
        since: Timestamp(0),
        until: NOW,
        reason: String::new(),
        by: String::new(),
    };
    catalog.forbidden.insert(key.clone(), forbidden);
    assert!(catalog.forbidden_at(&key, Timestamp(NOW.0 - 1)).is_some());
    assert!(catalog.forbidden_at(&key, NOW).is_none());
}

#[test]
fn an_apps_conflict_rule_goes_before_the_domains() {
    let case = Case::with(|c| {
        c.domain.conflict = ConflictRule::Backup;
        c.domain.apps = vec![App {
            name: "live".into(),
            enabled: true,
            conflict: Some(ConflictRule::Refuse),
            test: false,
        }];
    });
    assert_eq!(case.decide().unwrap().conflict, ConflictRule::Refuse);
}

#[test]
fn a_priority_counts_where_the_domain_heeds_it() {
    let priority = |heeded, parameter| {
        Case::with(|c| {
            c.domain.priority = heeded;
            c.name = format!("{}&{parameter}", signed("demo"));
        })
        .decide()
        .unwrap()
        .priority
    };
    assert_eq!(priority(true, "priority=5"), Some(5));
    assert_eq!(priority(true, "priority=-5"), Some(-5));
    assert_eq!(priority(true, "priority=high"), Some(0));
    assert_eq!(priority(true, "x=1"), Some(0));
    assert_eq!(priority(false, "priority=5"), None);
}

#[test]
fn a_refused_push_is_recorded_with_what_it_claimed_to_be() {
    let claimed =
        Case::with(|c| c.domain.block = vec!["192.0.2.7/32".parse().unwrap()]).decide().unwrap_err().claimed;
    assert_eq!(claimed.account, Some(7));
    let parts = [claimed.domain, claimed.app, claimed.stream].map(Option::unwrap);
    assert_eq!(parts, [HOST, "live", "demo"]);

    let claimed = Case::with(|c| (c.host, c.settings.default_domain) = ("192.0.2.1", String::new()));
    let claimed = claimed.decide().unwrap_err().claimed;
    assert_eq!((claimed.account, claimed.domain.as_deref()), (None, Some("192.0.2.1")));

    let long = "x".repeat(10_000);
    let claimed = Case::with(|c| c.name = long.clone()).decide().unwrap_err().claimed;
    assert_eq!(claimed.stream.map(|s| s.len()), Some(255));
}

#[test]
fn a_refusal_holds_the_facts_and_no_secret() {
    let blocked = Case::with(|c| c.domain.block = vec!["192.0.2.0/24".parse().unwrap()]).refusal();
    assert_eq!(json!(blocked.facts()), json!({ "ip": "192.0.2.7", "network": "192.0.2.0/24" }));
    assert_eq!(blocked.to_string(), "pushes from 192.0.2.7 are blocked");

    let forbidden = Case::with(|c| c.forbidden = vec![StreamKey::new(HOST, "live", "demo")]).refusal();
    assert_eq!(forbidden.facts()["until"], json!("2025-11-22T21:00:00.000Z"));
    assert_eq!(forbidden.facts()["reason"], json!("complaint 4711"));
    assert_eq!(forbidden.to_string(), "the stream is forbidden until 2025-11-22T21:00:00.000Z");

    let secret = "0123456789abcdef0123456789abcdef";
    let wrong = Case::with(|c| c.name = format!("demo?txSecret={secret}&txTime=7FFFFFFF"));
    let refused = wrong.decide().unwrap_err();
    assert_eq!(refused.refusal.code(), Code::new(18, 503));
    let shown = format!("{refused} {refused:?} {:?}", refused.refusal.facts());
    assert!(!shown.contains(secret) && !shown.contains(KEY), "{shown}");
}

#[test]
fn where_anybody_is_admitted_what_is_forbidden_outright_stays_so() {
    let anybody = |change: fn(&mut Case)| {
        Case::with(|c| {
            c.settings.admit_any = true;
            c.name = "demo".into();
            change(c);
        })
    };
    let admission = anybody(|_| ()).decide().unwrap();
    assert_eq!((admission.account, admission.expires), (7, None));
    let admission = anybody(|c| c.host = "elsewhere.example.net").decide().unwrap();
    assert_eq!((admission.account, admission.key.domain.as_str()), (0, "elsewhere.example.net"));
    let by_address = anybody(|c| {
        c.host = "192.0.2.1";
        c.settings.default_domain = String::new();
    });
    assert_eq!(by_address.decide().unwrap().key.domain, "192.0.2.1");
    assert!(anybody(|c| c.domain.channel_mode = true).decide().is_ok());

    assert_eq!(anybody(|c| c.forbidden = vec![StreamKey::new(HOST, "live", "demo")]).sub_errcode(), 305);
    assert_eq!(anybody(|c| c.domain.enabled = false).sub_errcode(), 303);
    assert_eq!(anybody(|c| c.domain.kind = DomainKind::Play).sub_errcode(), 301);
    assert_eq!(anybody(|c| c.account.status = AccountStatus::Stopped).sub_errcode(), 201);
    assert_eq!(anybody(|c| c.domain.block = vec!["192.0.2.0/24".parse().unwrap()]).sub_errcode(), 400);
    assert_eq!(anybody(|c| c.name = "de mo".into()).sub_errcode(), 308);
}
