//! What people keep in the console: links to records, and named filters.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use common::*;
use model::{Clock, SystemClock, Timestamp};
use store::{SavedView, Share};

#[test]
fn a_link_opens_its_record_until_it_expires_or_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let catalog = store.catalog();
    let (push, now) = (SystemClock.push_id(), SystemClock.now());
    let share = |digest: u8, hours: u64| Share {
        digest: [digest; 32],
        push,
        who: "admin".to_owned(),
        created_at: Timestamp(now.millis() + i64::from(digest)),
        expires_at: now.plus(Duration::from_secs(hours * 3_600)),
    };
    catalog.put_share(&share(1, 1)).unwrap();
    catalog.put_share(&share(2, 48)).unwrap();
    assert_eq!(catalog.share([1; 32], now).unwrap(), Some(share(1, 1)));
    assert_eq!(catalog.share([9; 32], now).unwrap(), None);
    assert_eq!(catalog.shares(push, now).unwrap(), [share(1, 1), share(2, 48)]);
    assert_eq!(catalog.shares(SystemClock.push_id(), now).unwrap(), []);

    let later = now.plus(Duration::from_secs(3_600));
    assert_eq!(catalog.share([1; 32], later).unwrap(), None, "its time is over");
    assert_eq!(catalog.shares(push, later).unwrap(), [share(2, 48)]);
    assert_eq!(catalog.delete_expired_shares(later).unwrap(), 1);
    assert!(!catalog.delete_share(SystemClock.push_id(), [2; 32]).unwrap(), "it is another record's");
    assert!(catalog.delete_share(push, [2; 32]).unwrap());
    assert_eq!(catalog.share([2; 32], now).unwrap(), None);
}

#[test]
fn a_view_is_of_one_user_and_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let catalog = store.catalog();
    let view = |user: &str, page: &str, name: &str, query: &str| SavedView {
        user: user.to_owned(),
        page: page.to_owned(),
        name: name.to_owned(),
        query: query.to_owned(),
    };
    for view in [
        view("ann", "records", "b", "side=network"),
        view("ann", "records", "a", "code=3%2F0"),
        view("ann", "events", "a", "kind=6"),
        view("ben", "records", "c", ""),
        view("ann", "records", "a", "code=4%2F0"),
    ] {
        catalog.put_view(&view).unwrap();
    }
    let expected = [view("ann", "records", "a", "code=4%2F0"), view("ann", "records", "b", "side=network")];
    assert_eq!(catalog.views("ann", "records").unwrap(), expected);
    assert!(!catalog.delete_view("ben", "records", "a").unwrap());
    assert!(catalog.delete_view("ann", "records", "a").unwrap());
    assert_eq!(catalog.views("ann", "records").unwrap().len(), 1);
}
