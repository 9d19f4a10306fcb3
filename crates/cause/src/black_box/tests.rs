use proptest::prelude::*;

use super::*;

fn command(n: u32) -> CommandEntry {
    CommandEntry {
        at_ms: n,
        from_client: true,
        name: "c".into(),
        summary: String::new(),
        size: 20,
        after_media: Some(0),
    }
}

fn media(n: u32) -> MediaEntry {
    MediaEntry {
        at_ms: n,
        kind: MediaEntryKind::Video,
        key_frame: n.is_multiple_of(2),
        config: n.is_multiple_of(3),
        timestamp: n.wrapping_mul(40),
        size: n,
        chunk_stream: 6,
    }
}

#[test]
fn the_first_and_the_last_64_commands_are_kept() {
    let mut black_box = BlackBox::default();
    (0..1000).for_each(|n| black_box.command(command(n)));
    let (first, skipped, last) = black_box.commands();
    assert_eq!((first.len(), skipped, last.len()), (64, 872, 64));
    assert_eq!((first[0].at_ms, first[63].at_ms, last[0].at_ms, last[63].at_ms), (0, 63, 936, 999));
}

#[test]
fn few_commands_are_all_kept_in_order_with_their_summaries() {
    let mut black_box = BlackBox::default();
    let whole = CommandEntry { name: "connect".into(), summary: "app=live".into(), ..command(7) };
    black_box.command(whole.clone());
    assert_eq!(black_box.commands(), (vec![whole], 0, vec![]));
}

#[test]
fn long_commands_are_cut_and_take_no_more_memory_than_stated() {
    let mut black_box = BlackBox::default();
    for n in 0..1000 {
        black_box.command(CommandEntry { name: "é".repeat(500), summary: "字".repeat(500), ..command(n) });
    }
    let (first, skipped, last) = black_box.commands();
    assert!(first.iter().chain(&last).all(|c| c.name.len() <= 32 && c.summary.len() <= 160));
    assert!(first.len() >= 5 && last.len() >= 5);
    assert_eq!(first.len() + last.len() + skipped as usize, 1000);
    assert_eq!(last.last().map(|c| c.at_ms), Some(999));
    assert!(black_box.heap_bytes() <= 2 * 1152, "{}", black_box.heap_bytes());
}

#[test]
fn the_last_192_media_headers_are_kept_in_order() {
    let mut black_box = BlackBox::default();
    assert_eq!(black_box.heap_bytes(), 0);
    (0..500).for_each(|n| black_box.media(media(n)));
    let kept: Vec<_> = black_box.media_entries().collect();
    assert!(kept.iter().copied().eq((308..500).map(media)));
    assert_eq!(black_box.media_seen(), 500);
}

#[test]
fn commands_keep_their_place_among_the_media_messages() {
    let mut black_box = BlackBox::default();
    black_box.command(command(1));
    (0..300).for_each(|_| black_box.media(media(5)));
    black_box.command(command(5));
    black_box.media(media(5));
    let places: Vec<_> = black_box.commands().0.iter().map(|c| c.after_media).collect();
    assert_eq!(places, [Some(0), Some(300)]);
    assert_eq!(black_box.media_seen(), 301);
}

#[test]
fn a_black_box_with_more_headers_than_it_can_have_is_refused() {
    let entries: Vec<(i32, i32, u32, u8)> = vec![(0, 0, 0, 0); 193];
    let commands = (0u64, Vec::<CommandEntry>::new(), Vec::<CommandEntry>::new());
    let blob = postcard::to_stdvec(&(commands, (0u64, entries))).unwrap();
    assert!(postcard::from_bytes::<BlackBox>(&blob).is_err());
}

fn any_media() -> impl Strategy<Value = MediaEntry> {
    let kinds =
        prop_oneof![Just(MediaEntryKind::Audio), Just(MediaEntryKind::Video), Just(MediaEntryKind::Data)];
    (kinds, any::<(u32, bool, bool, u32, u8)>(), 0u32..1 << 24).prop_map(
        |(kind, (at_ms, key_frame, config, timestamp, chunk_stream), size)| MediaEntry {
            at_ms,
            kind,
            key_frame,
            config,
            timestamp,
            size,
            chunk_stream,
        },
    )
}

fn any_command() -> impl Strategy<Value = CommandEntry> {
    let text = |max| (any::<char>(), 0usize..max).prop_map(|(c, count)| c.to_string().repeat(count));
    (any::<(u32, bool, u32)>(), text(40), text(200)).prop_map(
        |((at_ms, from_client, size), name, summary)| CommandEntry {
            at_ms,
            from_client,
            name,
            summary,
            size,
            after_media: None,
        },
    )
}

proptest! {
    #[test]
    fn both_written_forms_read_back(
        commands in prop::collection::vec(any_command(), 0..150),
        headers in prop::collection::vec(any_media(), 0..300),
    ) {
        let mut black_box = BlackBox::default();
        headers.iter().for_each(|entry| black_box.media(*entry));
        commands.iter().for_each(|entry| black_box.command(entry.clone()));
        let kept: Vec<_> = black_box.media_entries().collect();
        prop_assert_eq!(&kept, &headers[headers.len().saturating_sub(192)..]);
        let blob = postcard::to_stdvec(&black_box).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<BlackBox>(&blob).unwrap(), &black_box);
        let json = serde_json::to_string(&black_box).unwrap();
        prop_assert_eq!(&serde_json::from_str::<BlackBox>(&json).unwrap(), &black_box);
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        if let Ok(black_box) = postcard::from_bytes::<BlackBox>(&bytes) {
            let _ = black_box.commands();
            let _ = black_box.media_entries().count();
        }
    }
}
