//! What the actions do, and whose things they touch.

use model::catalog::{Account, AccountStatus};

use super::common::DOMAIN_KEY;
use super::*;

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
async fn signatures_are_not_asked_for_without_a_key_to_check_them_with() {
    let server = start().await;
    for (name, kind, action, key, backup) in [
        ("push.example", 0, "ModifyLivePushAuthKey", "MasterAuthKey", "BackupAuthKey"),
        ("play.example", 1, "ModifyLivePlayAuthKey", "AuthKey", "AuthBackKey"),
    ] {
        let add = json!({ "DomainName": name, "DomainType": kind });
        call(ONE, "AddLiveDomain", add).good(&server).await;
        let change = |enable: i64, one: &str, two: &str| {
            call(ONE, action, json!({ "DomainName": name, "Enable": enable, key: one, backup: two }))
        };
        assert_eq!(change(1, "", "").code(&server).await, "InvalidParameterValue", "{action}");
        change(1, "", "second").good(&server).await;
        change(0, "", "").good(&server).await;
        let on = call(ONE, action, json!({ "DomainName": name, "Enable": 1 }));
        assert_eq!(on.code(&server).await, "InvalidParameterValue", "{action}");
    }
}

#[tokio::test]
async fn errors_name_the_parameters_of_the_call() {
    let server = start().await;
    let template = |field: &str, value: &str| {
        let mut params = json!({ "TemplateName": "t", "StreamEndNotifyUrl": "https://receiver.example/" });
        params[field] = value.into();
        call(ONE, "CreateLiveCallbackTemplate", params)
    };
    let mut forbid = stream("a.example", "s");
    forbid["ResumeTime"] = "2001-01-01T00:00:00Z".into();
    for (call, parameter) in [
        (call(ONE, "ForbidLiveStream", forbid), "`ResumeTime`"),
        (template("StreamBeginNotifyUrl", "http://127.0.0.1/"), "`StreamBeginNotifyUrl`"),
        (template("PornCensorshipNotifyUrl", "ftp://receiver.example/"), "`PornCensorshipNotifyUrl`"),
        (template("StreamMixNotifyUrl", "http://10.0.0.1/"), "`StreamMixNotifyUrl`"),
        (template("CallbackKey", "a\u{7}b"), "`CallbackKey`"),
        (template("TemplateName", " "), "`TemplateName`"),
    ] {
        let error = call.send(&server).await["Error"].clone();
        assert!(error["Message"].as_str().unwrap().starts_with(parameter), "{parameter}: {error}");
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

/// Each of two writers finds what it wrote last, however their changes of one domain fall between each other.
#[tokio::test]
async fn of_two_who_change_one_domain_neither_undoes_the_other() {
    let server = start().await;
    let names: Vec<String> = (0..25).map(|n| format!("channel-{n}")).collect();
    let bearer = format!("Bearer {}:{}", ALL.0, ALL.1);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let channels = async {
        for name in &names {
            let path = format!("/api/v1/domains/a.example/channels/{name}");
            let answer = server.send("PUT", &path, &headers, r#"{"enabled":true}"#).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    let keys = async {
        for n in 0..25 {
            let key = format!("key-number-{n}");
            let params = json!({ "DomainName": "a.example", "Enable": 1, "MasterAuthKey": key });
            call(ONE, "ModifyLivePushAuthKey", params).good(&server).await;
            let found = call(ONE, "DescribeLivePushAuthKey", domain("a.example")).good(&server).await;
            assert_eq!(found["PushAuthKeyInfo"]["MasterAuthKey"], key, "{found}");
        }
    };
    tokio::join!(channels, keys);
    let listed = server.send("GET", "/api/v1/domains/a.example/channels", &headers, "").await.json();
    let listed: Vec<&str> = listed["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].as_str().unwrap())
        .collect();
    assert!(names.iter().all(|name| listed.contains(&name.as_str())), "{listed:?}");
}
