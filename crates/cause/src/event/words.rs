//! What the types of events are called, and the sentences that occurrences are worded by.

use super::{EventKind, Occurrence};
use crate::detail::{clean, fill};
use crate::table::Lang;

impl EventKind {
    /// What the type is called.
    pub fn name(self, lang: Lang) -> &'static str {
        let (ja, en, zh) = names(self);
        pick(lang, ja, en, zh)
    }
}

fn pick(lang: Lang, ja: &'static str, en: &'static str, zh: &'static str) -> &'static str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
        Lang::Zh => zh,
    }
}

/// Japanese, English, Chinese.
fn names(kind: EventKind) -> (&'static str, &'static str, &'static str) {
    use EventKind::*;
    match kind {
        VideoBack => ("映像のタイムスタンプが逆行", "Video timestamp went back", "视频时间戳回退"),
        AudioBack => ("音声のタイムスタンプが逆行", "Audio timestamp went back", "音频时间戳回退"),
        VideoJump => ("映像のタイムスタンプが飛んだ", "Video timestamp jumped ahead", "视频时间戳跳变"),
        AudioJump => ("音声のタイムスタンプが飛んだ", "Audio timestamp jumped ahead", "音频时间戳跳变"),
        ChunkSize => ("チャンクサイズが大きい", "Chunk size too large", "Chunk Size 过大"),
        VideoGap => {
            ("映像フレームの到着間隔が長い", "Video frames arrived too far apart", "视频帧到达间隔过大")
        }
        AudioGap => {
            ("音声フレームの到着間隔が長い", "Audio frames arrived too far apart", "音频帧到达间隔过大")
        }
        VideoCodecChanged => ("映像コーデックが変わった", "Video codec changed", "视频编码格式变化"),
        AudioCodecChanged => ("音声コーデックが変わった", "Audio codec changed", "音频编码格式变化"),
        NoVideoHeader => {
            ("映像ヘッダーより先にフレームが来た", "Video frame before its header", "视频帧之前缺少视频头")
        }
        NoAudioHeader => {
            ("音声ヘッダーより先にフレームが来た", "Audio frame before its header", "音频帧之前缺少音频头")
        }
        AudioStep => {
            ("音声のタイムスタンプの間隔が長い", "Audio timestamps too far apart", "音频帧时间戳间隔过大")
        }
        UncommonCodec => ("一般的でないコーデック", "Uncommon codec", "非常见编码格式"),
        Unparsable => {
            ("解析できないヘッダー・データ", "Header or data that cannot be parsed", "头信息或数据无法解析")
        }
        LowFrameRate => ("映像のフレームレートが低い", "Video frame rate too low", "视频帧率过低"),
        LongGop => ("キーフレームの間隔が長い", "Key frames too far apart", "GOP 过大"),
        PathSuspect => ("経路の喪失の疑い", "Path may be lost", "疑似链路中断"),
        Resumed => ("途絶えた後の再開", "Resumed after silence", "静默后恢复"),
        UpstreamSlow => ("中継先が遅い", "Upstream too slow", "转发目标过慢"),
    }
}

/// Templates as those of details: `[...]` is left out whole when a parameter in it is unknown.
fn templates(kind: EventKind) -> (&'static str, &'static str, &'static str) {
    use EventKind::*;
    match kind {
        VideoBack | AudioBack => (
            "タイムスタンプ[{timestamp}]が[{value}]戻りました",
            "The timestamp[ {timestamp}] is[ {value}] behind the one before it",
            "时间戳[ {timestamp}] 比前一帧回退了[ {value}]",
        ),
        VideoJump | AudioJump | AudioStep => (
            "タイムスタンプ[{timestamp}]が直前より[{value}]進みました",
            "The timestamp[ {timestamp}] is[ {value}] ahead of the one before it",
            "时间戳[ {timestamp}] 比前一帧超前[ {value}]",
        ),
        ChunkSize => {
            ("チャンクサイズが[{value}]です", "The chunk size is[ {value}]", "Chunk Size 为[ {value}]")
        }
        VideoGap | AudioGap => (
            "直前のフレームから[{value}]空きました",
            "The frame came[ {value}] after the one before it",
            "与前一帧相隔[ {value}]",
        ),
        VideoCodecChanged | AudioCodecChanged => {
            ("コーデックが変わりました[：{text}]", "The codec changed[: {text}]", "编码格式已变化[：{text}]")
        }
        NoVideoHeader | NoAudioHeader => (
            "コーデックヘッダーより先にフレームが来ました[：{text}]",
            "A frame came before its codec header[: {text}]",
            "帧先于编码头到达[：{text}]",
        ),
        UncommonCodec => ("コーデック[：{text}]", "Codec[ {text}]", "编码格式[：{text}]"),
        Unparsable => ("解析できません[：{text}]", "It cannot be parsed[: {text}]", "无法解析[：{text}]"),
        LowFrameRate => {
            ("毎秒[{value}]フレームでした", "There were[ {value}] frames a second", "帧率为每秒[ {value}] 帧")
        }
        LongGop => (
            "キーフレームの間隔が[{value}]でした",
            "The key frame came[ {value}] after the one before it",
            "与前一个关键帧相隔[ {value}]",
        ),
        PathSuspect => (
            "[{value}]届くデータがなく、確認の送信にも応答がありません",
            "Nothing came[ for {value}], and our probe is unacknowledged",
            "[{value}]没有数据，且探测未得到确认",
        ),
        Resumed => (
            "[{value}]途絶えた後、再び届きました",
            "Media came again[ after {value}]",
            "静默[ {value}] 后数据恢复",
        ),
        UpstreamSlow => (
            "中継先が遅いため[{value}]フレームを送りませんでした",
            "Frames were left out on the way to the upstream[: {value}]",
            "转发目标过慢，有[ {value}] 帧未发送",
        ),
    }
}

pub(super) fn sentence(kind: EventKind, seen: &Occurrence, lang: Lang) -> String {
    let (ja, en, zh) = templates(kind);
    let template = pick(lang, ja, en, zh);
    // Evidence of version 1 kept a whole sentence of its own.
    if seen.value.is_none() && !template.contains("{text}") && !seen.text.is_empty() {
        return clean(&seen.text);
    }
    fill(template, |name| seen.shown(name, kind.unit(), lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_named_and_worded_in_every_language() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_number(kind.number()), Some(*kind));
            let seen =
                Occurrence { at_ms: 9, value: Some(1200), timestamp: Some(40), text: "H.264".to_owned() };
            for lang in Lang::ALL {
                assert!(!kind.name(lang).is_empty());
                let sentence = seen.text(Some(*kind), lang);
                assert!(
                    sentence.contains("1.2")
                        || sentence.contains("12")
                        || sentence.contains("1,200")
                        || sentence.contains("H.264"),
                    "{kind:?} {sentence}"
                );
                assert!(!sentence.contains(['[', ']', '{', '}']), "{sentence}");
            }
        }
    }

    #[test]
    fn an_occurrence_says_what_was_measured() {
        let back = Occurrence { value: Some(101), timestamp: Some(900), ..Occurrence::default() };
        let text = back.text(Some(EventKind::VideoBack), Lang::En);
        assert_eq!(text, "The timestamp 900 is 101 ms behind the one before it");
        let slow = Occurrence { value: Some(742), ..Occurrence::default() };
        assert_eq!(slow.text(Some(EventKind::LowFrameRate), Lang::En), "There were 7.4 frames a second");
        let old = Occurrence { text: "a jump of 1,240 ms".to_owned(), ..Occurrence::default() };
        assert_eq!(old.text(Some(EventKind::VideoJump), Lang::Ja), "a jump of 1,240 ms");
        assert_eq!(old.text(None, Lang::En), "a jump of 1,240 ms");
    }
}
