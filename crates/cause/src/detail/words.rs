//! The stable words and numbers that stand in parameters, and what they are called.

use crate::table::Lang;

/// Word, English, Japanese, Chinese.
type Row = (&'static str, &'static str, &'static str, &'static str);

const WORDS: &[Row] = &[
    // How the receive side ended.
    ("open", "no end of the connection", "接続の継続", "连接未断"),
    ("end_of_file", "end of file", "正常な切断（EOF）", "正常关闭（EOF）"),
    ("reset", "a reset", "リセット", "重置"),
    ("timed_out", "a TCP timeout", "TCPのタイムアウト", "TCP 超时"),
    ("unreachable", "an unreachable host", "到達不能", "不可达"),
    ("failed", "a socket error", "ソケットエラー", "套接字错误"),
    ("idle_limit", "the idle limit", "データなしの制限時間", "空闲时限"),
    ("setup_limit", "the set-up limit", "接続準備の制限時間", "建立时限"),
    ("transport_lost", "a lost transport", "通信の喪失", "传输中断"),
    ("node_died", "the death of the node", "ノードの突然の停止", "节点意外终止"),
    ("task_failed", "a failed task", "処理の失敗", "任务出错"),
    ("unreadable", "an unreadable row", "読み取れない行", "无法读取的行"),
    // How far a push had come.
    ("no_bytes", "before its first byte", "最初のバイトの前", "首个字节之前"),
    ("tls_handshake", "in the TLS handshake", "TLSハンドシェイクの途中", "TLS 握手期间"),
    ("srt_handshake", "in the SRT handshake", "SRTハンドシェイクの途中", "SRT 握手期间"),
    ("webrtc_setup", "in the WebRTC set-up", "WebRTCの接続準備中", "WebRTC 建立期间"),
    ("rtmp_handshake", "in the RTMP handshake", "RTMPハンドシェイクの途中", "RTMP 握手期间"),
    ("before_connect", "before connect", "connectの前", "connect 之前"),
    ("connected", "after connect", "connectの後", "connect 之后"),
    ("stream_created", "after createStream", "createStreamの後", "createStream 之后"),
    ("auth_hook", "while the authentication hook decided", "外部認証の判断中", "第三方鉴权期间"),
    ("admission", "while admission decided", "受け入れの判断中", "准入判断期间"),
    ("live", "live", "配信中", "直播中"),
    // In what way a rule was broken.
    ("invalid", "cannot be parsed", "解析できません", "无法解析"),
    ("misbehaved", "not allowed at that point", "この時点では許されません", "此时不允许"),
    ("incompatible", "not supported", "対応していません", "不支持"),
    // What is wrong with a name.
    ("empty", "it is empty", "名前が空です", "名称为空"),
    ("too_long", "it is too long", "長すぎます", "过长"),
    ("character", "a character is not allowed", "使えない文字があります", "有不允许的字符"),
    ("dot_segment", "a segment is . or ..", "「.」または「..」だけの区切りがあります", "有一段是“.”或“..”"),
    // Parts of the live pipeline.
    ("hub", "hub", "ハブ", "分发"),
    ("muxer", "muxer", "多重化", "封装"),
    ("relay", "relay", "中継", "转发"),
    // What a limit is about.
    ("account", "account", "アカウント", "账号"),
    ("domain", "domain", "ドメイン", "域名"),
    ("stream", "stream", "ストリーム", "流"),
    ("node", "server", "サーバー", "服务器"),
    ("connections", "connections", "接続数", "连接数"),
    ("pushes", "pushes", "配信数", "推流数"),
    ("memory", "memory", "メモリー", "内存"),
    ("files", "file descriptors", "ファイル記述子", "文件描述符"),
    ("cpu", "CPU", "CPU", "CPU"),
    ("rate", "new connections a second", "毎秒の新規接続数", "每秒新建连接数"),
    // What clients are known to do.
    ("answers_no_pings", "it answers no pings", "pingに応答しません", "不应答 ping"),
    (
        "reads_nothing",
        "its librtmp sink reads nothing while it publishes, so that its goodbye can be lost in a reset",
        "librtmpのシンクは配信中に何も読まないため、終了の合図がリセットで失われることがあります",
        "其 librtmp 输出在推流时不读取任何数据，告别可能因重置而丢失",
    ),
    (
        "resets_after_goodbye",
        "it closes right behind its goodbye, which ends in a reset",
        "終了の合図の直後に閉じるため、リセットになります",
        "告别后立即关闭，因而以重置告终",
    ),
    // By which way somebody asked.
    ("console", "the console", "コンソール", "控制台"),
    ("api", "the API", "API", "API"),
    ("css_api", "the CSS API", "CSS API", "CSS API"),
    ("command_line", "the command line", "コマンドライン", "命令行"),
    ("signal", "a signal to the program", "プログラムへのシグナル", "发给程序的信号"),
];

/// The word in a language; `None` if this version does not know it.
pub(super) fn word(word: &str, lang: Lang) -> Option<&'static str> {
    WORDS.iter().find(|row| row.0 == word).map(|(_, en, ja, zh)| match lang {
        Lang::Ja => *ja,
        Lang::En => *en,
        Lang::Zh => *zh,
    })
}

/// What an RTMP message of this type carries (RTMP 1.0 sections 5.4, 6.2 and 7.1).
pub(super) fn message_type(number: i128, lang: Lang) -> Option<&'static str> {
    let (en, ja, zh) = match number {
        0 => ("unknown", "不明な", "未知"),
        1..=6 => ("control", "制御", "控制"),
        8 => ("audio", "音声", "音频"),
        9 => ("video", "映像", "视频"),
        15 | 18 => ("data", "データ", "数据"),
        16 | 19 => ("shared object", "共有オブジェクト", "共享对象"),
        17 | 20 => ("command", "コマンド", "命令"),
        22 => ("aggregate", "集約", "聚合"),
        _ => return None,
    };
    Some(match lang {
        Lang::Ja => ja,
        Lang::En => en,
        Lang::Zh => zh,
    })
}

/// The name of a Linux error number that sockets and files give.
pub(super) fn errno(number: i128) -> Option<&'static str> {
    Some(match number {
        1 => "EPERM",
        4 => "EINTR",
        5 => "EIO",
        9 => "EBADF",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        28 => "ENOSPC",
        30 => "EROFS",
        32 => "EPIPE",
        71 => "EPROTO",
        90 => "EMSGSIZE",
        92 => "ENOPROTOOPT",
        100 => "ENETDOWN",
        101 => "ENETUNREACH",
        102 => "ENETRESET",
        103 => "ECONNABORTED",
        104 => "ECONNRESET",
        105 => "ENOBUFS",
        107 => "ENOTCONN",
        108 => "ESHUTDOWN",
        110 => "ETIMEDOUT",
        111 => "ECONNREFUSED",
        112 => "EHOSTDOWN",
        113 => "EHOSTUNREACH",
        122 => "EDQUOT",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::evidence::{Close, Errno, FaultClass, Stage};

    #[test]
    fn every_word_stands_once_and_is_worded_in_every_language() {
        let words: BTreeSet<_> = WORDS.iter().map(|row| row.0).collect();
        assert_eq!(words.len(), WORDS.len());
        for (name, ..) in WORDS {
            for lang in Lang::ALL {
                assert!(!word(name, lang).unwrap().is_empty());
            }
        }
    }

    fn knows<T: serde::Serialize>(value: T) {
        let json = serde_json::to_value(value).unwrap();
        let name = match &json {
            serde_json::Value::Object(tagged) => tagged.keys().next().unwrap(),
            plain => plain.as_str().unwrap(),
        };
        assert!(word(name, Lang::En).is_some(), "{name} has no words");
    }

    #[test]
    fn every_close_stage_and_class_of_the_evidence_has_words() {
        use Close::*;
        let errno = Errno(113);
        for close in [
            Open,
            EndOfFile,
            Reset,
            TimedOut,
            Unreachable(errno),
            Failed(errno),
            IdleLimit,
            SetupLimit,
            TransportLost,
            NodeDied,
            TaskFailed,
            Unreadable,
        ] {
            knows(close);
        }
        for stage in [
            Stage::NoBytes,
            Stage::TlsHandshake,
            Stage::SrtHandshake,
            Stage::WebrtcSetup,
            Stage::RtmpHandshake,
            Stage::BeforeConnect,
            Stage::Connected,
            Stage::StreamCreated,
            Stage::AuthHook,
            Stage::Admission,
            Stage::Live,
        ] {
            knows(stage);
        }
        for class in [FaultClass::Invalid, FaultClass::Misbehaved, FaultClass::Incompatible] {
            knows(class);
        }
    }
}
