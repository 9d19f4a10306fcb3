//! Which of several things that happened decides. Rows 0, 1, 2, 5, 9, 11, 21, 35, 36.

use super::build::*;
use crate::evidence::{Act, Close, Errno, FaultKind, Goodbye, Stage};
use crate::verdict::{Confidence, verdict};
use crate::{Cause, Detail, DetailKey};

#[test]
fn each_goodbye_has_its_row() {
    let rows = [
        (Goodbye::DeleteStream, Cause::DeleteStream, ""),
        (Goodbye::CloseStream, Cause::CloseStream, ""),
        (Goodbye::FcUnpublishClosed, Cause::CloseStream, "fc_unpublish_closed"),
        (Goodbye::FcUnpublishAlone, Cause::CloseStream, "fc_unpublish_alone"),
        (Goodbye::Republished, Cause::CloseStream, "republished"),
        (Goodbye::SrtShutdown, Cause::TransportGoodbye, "srt_shutdown"),
        (Goodbye::WhipDelete, Cause::TransportGoodbye, "whip_delete"),
    ];
    assert_eq!(rows.len(), GOODBYES.len());
    for (goodbye, cause, detail) in rows {
        let mut e = live(Close::EndOfFile);
        e.goodbye = Some(goodbye);
        assert_eq!(judged(&e), (cause, detail.to_owned()), "{goodbye:?}");
        assert_eq!(verdict(&e).findings[0].confidence, Confidence::Certain);
    }
}

#[test]
fn a_clean_stop_whose_unread_reply_reset_the_socket_is_still_a_clean_stop() {
    let mut e = live(Close::Reset);
    e.goodbye = Some(Goodbye::DeleteStream);
    e.write_error = Some(Errno::ECONNRESET);
    let v = verdict(&e);
    assert_eq!((v.cause, v.detail), (Cause::DeleteStream, None));
    let signs: Vec<_> = v.findings[0].signs_for.iter().map(|sign| sign.key.as_str()).collect();
    assert_eq!(signs, ["goodbye_received", "close_after_goodbye"]);
}

#[test]
fn our_act_wins_over_the_clients_reaction_to_it() {
    for close in [Close::Open, Close::EndOfFile, Close::Reset] {
        let mut e = live(close);
        e.act = act(Cause::Dropped);
        e.goodbye = Some(Goodbye::DeleteStream);
        assert_eq!(cause_of(&e), Cause::Dropped, "{close:?}");
    }
}

#[test]
fn an_upstream_that_closes_on_a_silent_push_is_told_from_one_that_fails() {
    let told = |key: DetailKey, media_ms_ago: u64, stage: Stage| {
        let mut e = live(Close::Open);
        e.stage = stage;
        e.media.last_ms_ago = Some(media_ms_ago);
        e.act = Some(Act { code: Cause::ProxyToldToStop.code(), detail: Some(Detail::new(key)) });
        verdict(&e).detail.unwrap().params.get("silence_ms").cloned()
    };
    assert_eq!(told(DetailKey::UpstreamClosed, 10_400, Stage::Live), Some(10_400.into()));
    assert_eq!(told(DetailKey::UpstreamClosed, 40, Stage::Live), None);
    assert_eq!(told(DetailKey::UpstreamClosed, 10_400, Stage::StreamCreated), None);
    assert_eq!(told(DetailKey::UpstreamSilent, 10_400, Stage::Live), None);
}

#[test]
fn an_act_gives_its_code_and_its_detail_at_any_stage() {
    let detail = Detail::new(DetailKey::CutWhileLive);
    for stage in STAGES {
        let mut e = early(stage, Close::EndOfFile);
        e.act = Some(Act { code: Cause::DomainDisabled.code(), detail: Some(detail.clone()) });
        let v = verdict(&e);
        assert_eq!((v.cause, v.detail.as_ref()), (Cause::DomainDisabled, Some(&detail)), "{stage:?}");
    }
}

#[test]
fn every_row_of_the_table_can_be_an_act() {
    for cause in Cause::ALL {
        let mut e = live(Close::Open);
        e.act = act(cause);
        assert_eq!(cause_of(&e), cause);
    }
}

#[test]
fn an_act_of_no_row_is_unknown() {
    let mut e = live(Close::Open);
    e.act = Some(Act { code: model::Code::new(99, 1), detail: None });
    assert_eq!(judged(&e), (Cause::Unknown, "unexplained".into()));
}

#[test]
fn a_goodbye_wins_over_a_broken_rule_after_it() {
    let mut e = live(Close::EndOfFile);
    e.goodbye = Some(Goodbye::DeleteStream);
    e.fault = Some(fault(FaultKind::Protocol));
    assert_eq!(cause_of(&e), Cause::DeleteStream);
}

#[test]
fn a_failed_task_is_told_with_the_text_of_its_panic() {
    let mut e = live(Close::TaskFailed);
    e.goodbye = Some(Goodbye::DeleteStream);
    let panic = Detail::new(DetailKey::TaskPanic).with("reason", "a broken invariant");
    e.act = Some(Act { code: Cause::TaskFailed.code(), detail: Some(panic.clone()) });
    let v = verdict(&e);
    assert_eq!((v.cause, v.detail), (Cause::TaskFailed, Some(panic)));
    e.act = None;
    assert_eq!(cause_of(&e), Cause::TaskFailed);
}

#[test]
fn a_push_found_open_after_a_crash_is_11_and_after_an_orderly_stop_9() {
    let mut e = live(Close::NodeDied);
    assert_eq!(cause_of(&e), Cause::NodeDied);
    e.goodbye = Some(Goodbye::DeleteStream);
    assert_eq!(cause_of(&e), Cause::NodeDied);
    e.act = act(Cause::NodeStopped);
    assert_eq!(cause_of(&e), Cause::NodeStopped);
    e.act = act(Cause::Dropped);
    assert_eq!(cause_of(&e), Cause::NodeDied, "an end that was not committed at the kill");
}

#[test]
fn an_unreadable_row_is_36_at_any_stage() {
    for stage in STAGES {
        assert_eq!(cause_of(&early(stage, Close::Unreadable)), Cause::RowUnreadable);
    }
}

#[test]
fn an_end_that_nothing_explains_is_unknown_and_says_what_was_seen() {
    let v = verdict(&live(Close::Open));
    assert_eq!(v.cause, Cause::Unknown);
    let detail = v.detail.unwrap();
    assert_eq!((&detail.params["close"], &detail.params["stage"]), (&"open".into(), &"live".into()));
    let v = verdict(&live(Close::Failed(Errno(71))));
    assert_eq!((v.cause, &v.detail.unwrap().params["errno"]), (Cause::Unknown, &71.into()));
    assert_eq!(v.findings[0].confidence, Confidence::Possible);
    assert_eq!(cause_of(&early(Stage::Live, Close::SetupLimit)), Cause::Unknown);
}
