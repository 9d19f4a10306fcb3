//! Headings and names of facts, in the reader's language. What comes from evidence is worded by the crate `cause`.

use cause::Lang;

/// English, Japanese, Chinese.
const WORDS: [[&str; 3]; 35] = [
    ["ENDED", "終了", "结束"],
    ["CODE", "コード", "代码"],
    ["SIDE", "終了側", "断流方"],
    ["STREAM", "ストリーム", "流"],
    ["CLIENT", "クライアント", "客户端"],
    ["DURATION", "配信時間", "推流时长"],
    ["ID", "ID", "ID"],
    ["CAUSE", "原因", "原因"],
    ["MESSAGE", "メッセージ", "信息"],
    ["stream", "ストリーム", "流"],
    ["client", "クライアント", "客户端"],
    ["connected", "接続", "连接"],
    ["live", "配信", "推流"],
    ["never", "開始せず", "未开始"],
    ["ended", "終了", "结束"],
    ["attempts", "試行", "尝试"],
    ["video", "映像", "视频"],
    ["audio", "音声", "音频"],
    ["encoder", "エンコーダー", "编码器"],
    ["bytes", "データ量", "数据量"],
    ["in", "受信", "接收"],
    ["out", "送信", "发送"],
    ["query", "パラメーター", "参数"],
    ["node", "ノード", "节点"],
    ["id", "ID", "ID"],
    ["FINDINGS", "判定の根拠", "判断依据"],
    ["WHAT ELSE HAPPENED", "ほかに起きていたこと", "其他情况"],
    ["WHAT CANNOT BE TOLD FROM HERE", "サーバーからはわからないこと", "服务器无法判断的部分"],
    ["EVENTS  seconds after connecting", "配信中の異常  接続からの秒", "推流中的异常  从连接起的秒数"],
    ["TIMELINE  seconds after connecting", "タイムライン  接続からの秒", "时间线  从连接起的秒数"],
    ["up to", "最大", "最高"],
    ["bitrate", "レート", "码率"],
    ["lag", "遅れ", "落后"],
    ["repairs", "修復", "修复"],
    [
        "BLACK BOX  client ──▶ server, client ◀── server; seconds after connecting",
        "ブラックボックス  クライアント ──▶ サーバー、クライアント ◀── サーバー、接続からの秒",
        "黑匣子  客户端 ──▶ 服务器，客户端 ◀── 服务器；从连接起的秒数",
    ],
];

/// The word for what is `english` in English; itself where there is no other.
pub fn word(lang: Lang, english: &'static str) -> &'static str {
    let found = WORDS.iter().find(|[known, ..]| *known == english);
    match (found, lang) {
        (Some([_, ja, _]), Lang::Ja) => ja,
        (Some([_, _, zh]), Lang::Zh) => zh,
        _ => english,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_in_the_readers_language() {
        let said = [Lang::En, Lang::Ja, Lang::Zh].map(|lang| word(lang, "CAUSE"));
        assert_eq!(said, ["CAUSE", "原因", "原因"]);
        assert_eq!(word(Lang::Ja, "rcv_rtt"), "rcv_rtt", "what tools call so has no other name");
        for [english, ja, zh] in WORDS {
            assert!(!english.is_empty() && !ja.is_empty() && !zh.is_empty());
        }
    }
}
