//! The official clients of Tencent Cloud CSS work against this server as they are: every action, every signature they
//! can make, and the errors as their own exceptions.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::playback::View;
use crate::support::clock::{PATIENCE, until, wall};
use crate::support::encoder::Encoder;
use crate::support::pusher::Pusher;
use crate::support::receiver::Receiver;
use crate::support::rights;
use crate::support::sdk::{self, Client};
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// A key of the account that owns [`DOMAIN`].
const ID: &str = "css";
const SECRET: &str = "the-secret-of-this-key";
const KEY: &str = r#"
[[api_key]]
id = "css"
secret = "the-secret-of-this-key"
account = 7
"#;

/// A server with one stream that is live and one that has ended, and what the scripts need to know of them.
fn stage() -> (Server, Encoder, String) {
    let server = Setup::open().config(KEY).start();
    let mut ended = Encoder::ffmpeg(&server.open_url("ended"));
    wait_for_media(&server);
    ended.interrupt();
    server.record("ended");
    let live = Encoder::ffmpeg(&server.open_url("on-air"));
    server.wait_for_pushes(1);
    let endpoint = server.http().to_string();
    let given = json!({ "endpoint": endpoint, "id": ID, "key": SECRET, "domain": DOMAIN, "stream": "on-air", "ended": "ended" });
    (server, live, given.to_string())
}

#[test]
fn the_python_sdk_calls_every_action_with_every_signature() {
    let Some(folder) = rights::has(&["ffmpeg"]).then(|| Client::Python.installed()).flatten() else { return };
    let (server, _live, given) = stage();
    let python = folder.join("bin/python");
    let printed = sdk::run(Command::new(python).arg(sdk::script("python_sdk.py")).arg(given));
    assert_eq!(printed.matches("took every step").count(), 6, "{printed}");
    assert!(printed.contains("all refused as they should be"), "{printed}");
    nothing_secret_was_logged(&server);
}

#[test]
fn the_node_sdk_calls_every_action_with_every_signature() {
    let Some(folder) = rights::has(&["ffmpeg"]).then(|| Client::Node.installed()).flatten() else { return };
    let (server, _live, given) = stage();
    let printed = sdk::run(Command::new("node").arg(sdk::script("node_sdk.mjs")).arg(folder).arg(given));
    assert_eq!(printed.matches("took every step").count(), 5, "{printed}");
    nothing_secret_was_logged(&server);
}

#[test]
fn tccli_calls_every_action() {
    let Some(folder) = rights::has(&["ffmpeg"]).then(|| Client::CommandLine.installed()).flatten() else {
        return;
    };
    let (server, _live, given) = stage();
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(sdk::script("tccli.py")).arg(folder.join("bin/tccli")).arg(given);
    let printed = sdk::run(command.env("HOME", home.path()));
    assert!(printed.contains("took "), "{printed}");
    nothing_secret_was_logged(&server);
}

/// From nothing to a stream that is forbidden and let in again, by the official command line and a real encoder.
#[test]
fn a_domain_is_added_pushed_to_forbidden_and_resumed() {
    let Some(folder) = rights::has(&["ffmpeg"]).then(|| Client::CommandLine.installed()).flatten() else {
        return;
    };
    let server = Setup::open().config(KEY).start();
    let home = tempfile::tempdir().unwrap();
    let call = |action: &str, params: Value| tccli(&server, &folder, home.path(), action, &params);
    let (domain, app, stream) = ("new.example", "live", "show");
    let key = json!({ "DomainName": domain, "AppName": app, "StreamName": stream });

    call("AddLiveDomain", json!({ "DomainName": domain, "DomainType": 0 }));
    call("ModifyLivePushAuthKey", json!({ "DomainName": domain, "Enable": 1, "MasterAuthKey": "thekey" }));
    let expires = model::Timestamp(crate::support::clock::wall().millis() + 3_600_000);
    let query = model::sign::signed_query("thekey", stream, expires, model::sign::Algorithm::Md5);
    let url = format!("rtmp://{}/{app}/{stream}?domain={domain}&{query}", server.rtmp());

    let mut live = Encoder::ffmpeg(&url);
    server.wait_for_pushes(1);
    let online = call("DescribeLiveStreamOnlineList", json!({ "DomainName": domain }));
    assert_eq!(online["OnlineInfo"][0]["StreamName"], stream, "{online}");

    call("ForbidLiveStream", key.clone());
    live.wait();
    assert_eq!(server.codes(stream, 1), ["21/101"]);
    Encoder::ffmpeg(&url).wait();
    assert_eq!(server.codes(stream, 2), ["18/305", "21/101"]);
    assert_eq!(call("DescribeLiveStreamState", key.clone())["StreamState"], "forbid");

    call("ResumeLiveStream", key);
    let mut again = Encoder::ffmpeg(&url);
    wait_for_media(&server);
    again.interrupt();
    assert_eq!(server.codes(stream, 3), ["1/0", "18/305", "21/101"]);

    let now = crate::support::clock::wall();
    let window = json!({
        "StartTime": format!("{}Z", &model::Timestamp(now.millis() - 3_600_000).to_string()[..19]),
        "EndTime": format!("{}Z", &now.to_string()[..19]),
        "DomainName": domain,
        "IsAsc": 1,
    });
    let story = call("DescribeLiveStreamEventList", window);
    // The command line asks for Chinese unless told otherwise, and passes on only what it knows: no codes.
    let told = |errcode, sub| {
        cause::Cause::from_code(model::Code::new(errcode, sub)).unwrap().errmsg(cause::Lang::Zh)
    };
    let events = story["EventList"].as_array().unwrap();
    let reasons: Vec<&str> = events.iter().map(|event| event["StopReason"].as_str().unwrap()).collect();
    assert_eq!(reasons, [told(21, 101), told(18, 305), told(1, 0)], "{story}");
}

/// What a receiver was told of a real push, and what it answered, as the official command line lists it.
#[test]
fn deliveries_are_listed_with_what_was_sent_and_answered() {
    let Some(folder) = Client::CommandLine.installed() else { return };
    let receiver = Receiver::start();
    let config = format!("{KEY}\n[callback]\nallow_private = true\n");
    let server = Setup::open().config(&config).start();
    let home = tempfile::tempdir().unwrap();
    let call = |action: &str, params: Value| tccli(&server, &folder, home.path(), action, &params);
    let (begin, end) = (receiver.url("/begin"), receiver.url("/end"));
    let template =
        json!({ "TemplateName": "told", "StreamBeginNotifyUrl": begin, "StreamEndNotifyUrl": end });
    let template = call("CreateLiveCallbackTemplate", template)["TemplateId"].clone();
    call(
        "CreateLiveCallbackRule",
        json!({ "DomainName": DOMAIN, "AppName": "live", "TemplateId": template }),
    );
    let mut push = Pusher::push(server.rtmp(), "told").unwrap();
    push.send_media(1_000).unwrap();
    push.delete_stream().unwrap();
    assert_eq!(receiver.types("told", 2), [1, 0]);
    let at = |ms: i64| format!("{}Z", &model::Timestamp(wall().millis() + ms).to_string()[..19]);
    let list = |event: Option<i64>| {
        let mut params = json!({ "StreamName": "told", "StartTime": at(-3_600_000), "EndTime": at(0),
                                 "PageNum": 1, "PageSize": 10 });
        if let Some(event) = event {
            params["EventType"] = event.into();
        }
        call("DescribeCallbackRecordsList", params)
    };
    let listed =
        until("both deliveries", PATIENCE, || Some(list(None)).filter(|found| found["TotalNum"] == 2));
    let of = |found: &Value, field: &str| -> Vec<Value> {
        found["DataInfoList"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
    };
    assert_eq!(of(&listed, "EventType"), [0, 1], "the newest first: {listed}");
    assert_eq!(of(&listed, "ResultCode"), [0, 0]);
    assert_eq!(of(&listed, "StreamId"), ["told", "told"]);
    let sent: Value = serde_json::from_str(of(&listed, "Request")[0].as_str().unwrap()).unwrap();
    assert_eq!((&sent["event_type"], &sent["errcode"]), (&json!(0), &json!(1)), "{listed}");
    let ended = list(Some(0));
    assert_eq!((&ended["TotalNum"], of(&ended, "EventType")), (&json!(1), vec![json!(0)]));
}

/// A viewer sees the backup that an operator switches to, without a break.
#[test]
fn a_viewer_watches_on_while_the_official_command_line_switches_to_a_backup() {
    let Some(folder) = rights::has(&["ffmpeg"]).then(|| Client::CommandLine.installed()).flatten() else {
        return;
    };
    let backup = "[[domain]]\nname = \"backup.test\"\naccount = 7\nauth = false\nconflict = \"backup\"\n";
    let server = Setup::open().config(&format!("{KEY}{backup}")).start();
    let home = tempfile::tempdir().unwrap();
    let call = |action: &str, params: Value| tccli(&server, &folder, home.path(), action, &params);
    let url = format!("rtmp://{}/live/guarded?domain=backup.test", server.rtmp());
    let _first = Encoder::ffmpeg(&url);
    wait_for_media(&server);
    let _second = Encoder::ffmpeg(&url);
    server.wait_for_pushes(2);
    let flv = format!("http://{}/live/guarded.flv?domain=backup.test", server.http());
    let view = View::of(&flv);
    view.wait_for(30);
    let upstreams = || {
        let found = call("DescribeBackupStreamList", json!({ "StreamName": "guarded" }));
        let list = found["StreamInfoList"][0]["BackupList"].as_array().unwrap().clone();
        list.into_iter()
            .map(|push| (push["UpstreamSequence"].as_str().unwrap().to_owned(), push["MasterFlag"] == 1))
            .collect::<Vec<_>>()
    };
    let before = upstreams();
    assert_eq!(before.iter().map(|(_, carries)| *carries).collect::<Vec<_>>(), [true, false]);
    let waiting = before[1].0.clone();
    call(
        "SwitchBackupStream",
        json!({ "PushDomainName": "backup.test", "AppName": "live", "StreamName": "guarded",
                "UpstreamSequence": waiting }),
    );
    until("the backup to carry the stream", PATIENCE, || {
        Some(upstreams()).filter(|now| now.contains(&(waiting.clone(), true)) && now.len() == 2)
    });
    let seen = view.frames().len();
    view.wait_for(seen + 90);
    let frames = view.frames();
    for stream in 0..2 {
        let times: Vec<_> = frames.iter().filter(|(s, _)| *s == stream).map(|(_, dts)| *dts).collect();
        assert!(times.len() > 30 && times.is_sorted(), "stream {stream}: {times:?}");
    }
}

/// Waits until a push has sent about a second of media: it is live, and stops in order when its encoder is told to.
fn wait_for_media(server: &Server) {
    until("a second of media", PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        pushes["pushes"].as_array()?.iter().find(|push| push["bytes_in"].as_u64() > Some(60_000)).map(drop)
    });
}

fn tccli(server: &Server, folder: &Path, home: &Path, action: &str, params: &Value) -> Value {
    let mut command = Command::new(folder.join("bin/tccli"));
    command.env("HOME", home).args(["live", action, "--endpoint", &format!("http://{}", server.http())]);
    command.args(["--secretId", ID, "--secretKey", SECRET, "--region", "none"]);
    for (name, value) in params.as_object().unwrap() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command.arg(format!("--{name}")).arg(value);
    }
    let printed = sdk::run(&mut command);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

fn nothing_secret_was_logged(server: &Server) {
    let printed = server.printed();
    assert!(printed.contains("CSS call "), "refusals are logged");
    for secret in [SECRET, "not-the-key", "masterkey", "backupkey", "playkey", "callbackkey", "Signature="] {
        assert!(!printed.contains(secret), "{secret} was logged");
    }
}
