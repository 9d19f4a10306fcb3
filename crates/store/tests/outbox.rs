//! Events of pushes go into the outbox with the rows of the journal, and out of it with their outcome.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::*;
use model::catalog::{ANY_APP, CallbackKind, CallbackRule, CallbackTemplate, CallbackUrls};
use model::{Clock, Code, PushId, SystemClock, Timestamp};
use rusqlite::Connection;
use store::{
    EventQuery, Inherited, Occurrence, OpenPush, OutboxConfig, PushReport, ReportedEvent, Settled, Store,
    StoreConfig, Told, Waiting,
};

const TEMPLATE: u32 = 7;

fn with_rule(store: &Store, app: &str, urls: CallbackUrls) {
    let template = CallbackTemplate {
        id: TEMPLATE,
        account: 1,
        name: "all".to_owned(),
        description: String::new(),
        urls,
        key: String::new(),
        created: Timestamp(0),
    };
    let rule = CallbackRule {
        domain: key("").domain,
        app: app.to_owned(),
        template: TEMPLATE,
        created: Timestamp(0),
        updated: Timestamp(0),
    };
    store.catalog().put_callback_template(&template).unwrap();
    store.catalog().put_callback_rule(&rule).unwrap();
}

fn every_url() -> CallbackUrls {
    CallbackUrls {
        stream_begin: "https://r.example/b".to_owned(),
        stream_end: "https://r.example/e".to_owned(),
        push_exception: "https://r.example/x".to_owned(),
        ..CallbackUrls::default()
    }
}

async fn live(store: &Store, stream: &str) -> (PushId, OpenPush) {
    let id = SystemClock.push_id();
    let mut row = open_row(id, stream);
    row.stream_param = Some("txSecret=***".to_owned());
    row.callback_param = Some("txSecret=ORIGINAL".to_owned());
    let mut push = store.journal().open(row).unwrap();
    push.durable(Duration::from_secs(10)).await.unwrap();
    (id, push)
}

async fn over(store: &Store, id: PushId, stream: &str, push: OpenPush) {
    let mut tail = store.journal().subscribe();
    push.close(end(record(id, stream, Code::new(1, 0), SystemClock.now())));
    while tail.recv().await.unwrap().id != id {}
}

fn due(store: &Store) -> Vec<Waiting> {
    store.outbox().due(SystemClock.now().plus(Duration::from_millis(1)), 100, &|_| false).unwrap()
}

fn kinds(store: &Store) -> Vec<CallbackKind> {
    due(store).into_iter().map(|waiting| waiting.kind).collect()
}

async fn done(store: &Store, id: &str) {
    assert_eq!(store.outbox().settle(Settled::Done { id: id.to_owned() }).await.unwrap(), 1);
}

fn with_outbox(dir: &Path, outbox: OutboxConfig) -> Store {
    open_with(StoreConfig { outbox, ..config(dir) })
}

#[tokio::test]
async fn a_push_without_a_rule_tells_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "another-app", every_url());
    let (id, push) = live(&store, "s").await;
    over(&store, id, "s", push).await;
    assert_eq!(due(&store), []);
    assert_eq!(store.outbox().next_due(Timestamp(0)).unwrap(), None);
}

#[tokio::test]
async fn start_and_end_are_told_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, ANY_APP, every_url());
    let (id, push) = live(&store, "s").await;
    let begin = due(&store);
    assert_eq!((begin.len(), begin[0].kind, begin[0].push), (1, CallbackKind::Begin, id));
    over(&store, id, "s", push).await;
    assert_eq!(due(&store), begin, "the end waits for the start");
    let later = SystemClock.now().plus(Duration::from_secs(60));
    assert_eq!(
        store.outbox().settle(Settled::Again { id: begin[0].id.clone(), at: later }).await.unwrap(),
        0
    );
    assert_eq!(due(&store), [], "a start that failed holds up the end");
    let again = store.outbox().due(later, 100, &|_| false).unwrap();
    assert_eq!((again[0].id.as_str(), again[0].attempts), (begin[0].id.as_str(), 1));
    done(&store, &begin[0].id).await;
    let end = store.outbox().due(later, 100, &|_| false).unwrap();
    assert_eq!((end.len(), end[0].kind), (1, CallbackKind::End));
    let notice = end[0].notice.clone().unwrap();
    assert_eq!(notice.original_param.as_deref(), Some("txSecret=ORIGINAL"));
    assert!(matches!(notice.told, Told::End { errcode: 1, sub_errcode: 0, .. }));
    done(&store, &end[0].id).await;
    assert_eq!(store.outbox().waiting().unwrap(), []);
}

#[tokio::test]
async fn what_is_under_way_is_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", every_url());
    let pushes = [live(&store, "a").await, live(&store, "b").await, live(&store, "c").await];
    let first = format!("{}-1", pushes[0].0);
    let found = store.outbox().due(SystemClock.now(), 1, &|id| id == first).unwrap();
    assert_eq!(found.iter().map(|w| w.push).collect::<Vec<_>>(), [pushes[1].0]);
}

#[tokio::test]
async fn kinds_without_a_url_are_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", CallbackUrls { stream_begin: String::new(), ..every_url() });
    let (id, push) = live(&store, "s").await;
    assert_eq!(kinds(&store), []);
    over(&store, id, "s", push).await;
    assert_eq!(kinds(&store), [CallbackKind::End]);
}

#[tokio::test]
async fn a_push_that_the_node_took_down_with_it_is_told_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", every_url());
    let (_, push) = live(&store, "s").await;
    copy_as_crashed(dir.path(), copy.path());
    drop(push);
    let restored = open(copy.path());
    restored.recover().unwrap();
    let begin = due(&restored);
    assert_eq!(begin[0].kind, CallbackKind::Begin);
    done(&restored, &begin[0].id).await;
    let notice = due(&restored).remove(0).notice.unwrap();
    assert!(matches!(notice.told, Told::End { errcode: 11, .. }), "{notice:?}");
    assert_eq!(notice.original_param.as_deref(), Some("txSecret=ORIGINAL"));
}

#[tokio::test]
async fn of_a_push_of_a_lost_node_the_beginning_is_told_before_the_end_where_that_is_owed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, ANY_APP, every_url());
    let [owed, told] = [SystemClock.push_id(), SystemClock.push_id()];
    let inherited = |id: PushId, stream: &str| Inherited {
        record: open_row(id, stream).node_died("east", SystemClock.now()),
        begin: (id == owed).then(|| open_row(id, stream)),
    };
    let both = vec![inherited(owed, "a"), inherited(told, "b")];
    store.journal().inherit(both.clone()).await.unwrap();
    store.journal().inherit(both).await.unwrap();
    assert_eq!(store.outbox().unbegun(&[owed, told]).unwrap(), [owed]);
    let first = due(&store);
    let of = |waiting: &Waiting| (waiting.id.clone(), waiting.notice.clone().unwrap().node);
    let east = |id: PushId, kind: u16| (format!("{id}-{kind}"), "east".to_owned());
    let mut seen: Vec<_> = first.iter().map(of).collect();
    seen.sort();
    assert_eq!(
        seen,
        [east(owed, 1), east(told, 0)],
        "the end waits for the beginning, and each is there once"
    );
    done(&store, &east(owed, 1).0).await;
    assert_eq!(store.outbox().unbegun(&[owed]).unwrap(), []);
    assert!(due(&store).iter().map(of).any(|event| event == east(owed, 0)));
}

#[tokio::test]
async fn the_original_query_is_gone_once_it_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", every_url());
    let (id, push) = live(&store, "s").await;
    over(&store, id, "s", push).await;
    for _ in 0..2 {
        done(&store, &due(&store)[0].id).await;
    }
    store.shutdown().unwrap();
    let journal = Connection::open(dir.path().join("journal.db")).unwrap();
    let rows: i64 = journal
        .query_row("select (select count(*) from open_push) + (select count(*) from outbox)", [], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(rows, 0);
    let param: Option<String> =
        journal.query_row("select stream_param from ended limit 1", [], |r| r.get(0)).unwrap_or(None);
    assert!(param.is_none_or(|p| !p.contains("ORIGINAL")));
}

#[tokio::test]
async fn a_push_that_was_announced_and_then_refused_is_told_to_have_ended() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", every_url());
    let (id, push) = live(&store, "s").await;
    let mut tail = store.journal().subscribe();
    push.abandon(end(record(id, "s", Code::new(18, 305), SystemClock.now())));
    while tail.recv().await.unwrap().id != id {}
    done(&store, &format!("{id}-1")).await;
    wait_until("the end", || kinds(&store) == [CallbackKind::End]);
}

#[tokio::test]
async fn refusals_are_told_where_that_is_asked_for() {
    for (refused, told) in [(false, 0), (true, 1)] {
        let dir = tempfile::tempdir().unwrap();
        let store = with_outbox(dir.path(), OutboxConfig { refused, flap: None });
        with_rule(&store, "live", every_url());
        let mut tail = store.journal().subscribe();
        store
            .journal()
            .refuse(end(record(SystemClock.push_id(), "s", Code::new(18, 503), SystemClock.now())))
            .await;
        tail.recv().await.unwrap();
        assert_eq!(due(&store).len(), told);
    }
}

#[tokio::test]
async fn a_short_interruption_is_filtered_with_the_start_that_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let flap = Some(Duration::from_secs(600));
    let store = with_outbox(dir.path(), OutboxConfig { refused: false, flap });
    with_rule(&store, "live", every_url());
    let (first, push) = live(&store, "s").await;
    done(&store, &format!("{first}-1")).await;
    over(&store, first, "s", push).await;
    assert_eq!(kinds(&store), [], "the interruption is held back");
    let (second, push) = live(&store, "s").await;
    assert_eq!(store.outbox().waiting().unwrap(), [], "neither interruption nor start is told");
    assert_eq!(store.outbox().suppressed(), 2);
    // Another push of the same key took over before the end of this one: no interruption at all.
    let (third, newer) = live(&store, "s").await;
    done(&store, &format!("{third}-1")).await;
    over(&store, second, "s", push).await;
    assert_eq!(store.outbox().waiting().unwrap(), []);
    over(&store, third, "s", newer).await;
    let last = store.outbox().due(SystemClock.now().plus(Duration::from_secs(601)), 9, &|_| false).unwrap();
    assert_eq!((last.len(), last[0].push, last[0].kind), (1, third, CallbackKind::End));
}

#[tokio::test]
async fn the_oldest_are_given_up_where_too_many_wait() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", every_url());
    let mut pushes = Vec::new();
    for n in 0..10 {
        pushes.push(live(&store, &format!("s{n}")).await);
    }
    assert_eq!(store.outbox().waiting().unwrap(), [(TEMPLATE, 10)]);
    let trim = Settled::Trim { template: TEMPLATE, keep: 3 };
    assert_eq!(store.outbox().settle(trim).await.unwrap(), 7);
    let left: Vec<PushId> = due(&store).into_iter().map(|waiting| waiting.push).collect();
    assert_eq!(left, pushes[7..].iter().map(|(id, _)| *id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_report_is_kept_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", CallbackUrls { stream_begin: String::new(), ..every_url() });
    let (id, _push) = live(&store, "s").await;
    let noticed = |kind| ReportedEvent {
        kind,
        count: 3,
        occurrences: vec![Occurrence { at: Timestamp(9), what: "3200 ms".to_owned(), seen: None }],
    };
    let report = PushReport {
        push: id,
        account: 5,
        key: key("s"),
        client_ip: "203.0.113.7".parse().unwrap(),
        stream_param: None,
        at: SystemClock.now(),
        interval_ms: 5_000,
        events: vec![noticed(6), noticed(100)],
    };
    store.journal().report(report.clone());
    wait_until("both in the history", || {
        store.history().events(&EventQuery { limit: 9, ..EventQuery::default() }).unwrap().len() == 2
    });
    let found = |query: EventQuery| store.history().events(&EventQuery { limit: 9, ..query }).unwrap();
    assert_eq!(
        found(EventQuery { kind: Some(6), ..EventQuery::default() })[0].occurrences[0].what,
        "3200 ms"
    );
    assert_eq!(found(EventQuery { account: Some(6), ..EventQuery::default() }), []);
    let streams = store.history().event_streams(&EventQuery { limit: 9, ..EventQuery::default() }).unwrap();
    assert_eq!((streams.len(), streams[0].count, streams[0].kinds.as_slice()), (1, 6, [6, 100].as_slice()));
    assert_eq!((&streams[0].key, streams[0].last), (&key("s"), report.at));
    let part =
        |stream: &str, fuzzy| EventQuery { stream: Some(stream.into()), fuzzy, ..EventQuery::default() };
    assert_eq!((found(part("S", true)).len(), found(part("S", false)).len()), (2, 0));
    assert_eq!(found(part("%", true)), [], "a name has no wildcards");
    assert_eq!(
        found(EventQuery { push: Some(id), stream: Some("s".into()), ..EventQuery::default() }).len(),
        2
    );
    assert_eq!(found(EventQuery { since: Some(report.at.plus(DAY)), ..EventQuery::default() }), []);
    let told = due(&store).remove(0);
    assert_eq!(told.kind, CallbackKind::Exception);
    let Told::Exception { events, .. } = told.notice.unwrap().told else { panic!() };
    assert_eq!(events, [noticed(6)], "types of our own stay here");
}

#[tokio::test]
async fn a_history_that_cannot_be_written_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("history.db")).unwrap();
    let store = open(dir.path());
    with_rule(&store, "live", every_url());
    let (id, push) = live(&store, "s").await;
    store.journal().report(PushReport {
        push: id,
        account: 5,
        key: key("s"),
        client_ip: "203.0.113.7".parse().unwrap(),
        stream_param: None,
        at: SystemClock.now(),
        interval_ms: 5_000,
        events: vec![ReportedEvent { kind: 6, count: 1, occurrences: Vec::new() }],
    });
    over(&store, id, "s", push).await;
    wait_until("it to be counted", || store.journal().stats().history_left_out == 1);
    store.shutdown().unwrap();
}
