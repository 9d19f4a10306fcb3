//! Japanese.

use super::Cause;

const AGAIN: &str = "そのままもう一度配信を始めてください。設定を変える必要はありません。";
const LATER: &str =
    "1分ほど待ってからもう一度始めてください。繰り返すときは、サービスの運営者に知らせてください。";
const NEW_ADDRESS: &str = "配信先のURLとキーを発行元から受け取り直し、貼り直してください。";
const ASK: &str = "サービスの運営者に問い合わせてください。お手元の設定では直せません。";
const LINE: &str =
    "Wi-Fiではなく有線でつなぎ、ビットレートを3割ほど下げ、ほかのアップロードを止めてください。";
const PROGRAM: &str = "配信ソフトが動いているか確かめ、最新版にしてから始め直してください。";

/// What happened, and what to try now.
pub(super) const fn words(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::Unknown => ("配信が終わりましたが、原因はまだ分かっていません。", LATER),
        Cause::DeleteStream | Cause::TransportGoodbye => (
            "配信ソフトが通常の手順で配信を終えました。",
            "問題はありません。止めた覚えがないときは、タイマーやほかの人の操作がないか確かめてください。",
        ),
        Cause::CloseStream => (
            "配信ソフトが配信を閉じました。",
            "意図していないときは、スマートフォンではアプリを前面に出したまま、画面をつけておいてください。",
        ),
        Cause::EndOfFile => (
            "配信ソフトが、終了を知らせずにいなくなりました。",
            "ソフトが落ちたか、端末に終了させられた可能性があります。起動し直し、重いソフトは閉じてください。",
        ),
        Cause::Reset => (
            "お手元の側から、接続が突然切れました。",
            "配信ソフトが落ちていないか確かめてください。動いていたなら、ルーターを再起動するか、別の回線を試してください。",
        ),
        Cause::TaskFailed | Cause::PipelineFailed => ("サービス側で障害が起きました。", AGAIN),
        Cause::ProtocolBroken | Cause::AmfBroken => (
            "配信ソフトから届いたデータを読み取れませんでした。",
            "配信先のURLを配信ソフトに入れているか確かめ、ソフトを最新版にしてください。",
        ),
        Cause::MessageTooLarge => (
            "1枚の映像が、このサービスで扱える大きさを超えました。",
            "ビットレートか解像度を下げ、キーフレームの間隔を2秒にしてください。",
        ),
        Cause::NeverSentMedia => (
            "接続はできましたが、映像も音声も届きませんでした。",
            "カメラとマイクが選ばれ、ソフトに映っているか確かめてから、始め直してください。",
        ),
        Cause::NodeStopped => ("メンテナンスのため、サービスのサーバーを再起動しました。", AGAIN),
        Cause::ProxyToldToStop => ("配信を受け取るサービスから、終了の求めがありました。", LATER),
        Cause::NodeDied => ("サービスのサーバーに障害が起き、再起動しました。", AGAIN),
        Cause::PathLost | Cause::Unreachable | Cause::SendFailed => (
            "インターネットの接続が途切れました。",
            "ほかのサイトが開けるか確かめてください。ルーターを再起動し、できれば有線でつないで始め直してください。",
        ),
        Cause::UplinkCollapsed => ("回線の速度が配信に足りなくなり、そのまま切れました。", LINE),
        Cause::LagLimit => ("回線の速度が足りず、配信の遅れが大きくなりすぎました。", LINE),
        Cause::TransportLost => (
            "お手元とサービスの間の接続が失われました。",
            "もう一度始めてください。たびたび起きるときは、別の回線か有線を試してください。",
        ),
        Cause::CatalogUnavailable
        | Cause::RegistryUnreachable
        | Cause::RegistryConflict
        | Cause::JournalUnwritable
        | Cause::Overload
        | Cause::OwnershipLost => ("そのとき、サービスが配信を受け付けられませんでした。", LATER),
        Cause::AccountUnknown | Cause::AccountStopped | Cause::AccountForceStopped => {
            ("この配信先のアカウントが有効ではありません。", ASK)
        }
        Cause::AccountOverdue => (
            "この配信先のアカウントに、未払いの料金があります。",
            "料金を払う担当者に支払いを済ませてもらい、始め直してください。",
        ),
        Cause::PushByIp | Cause::DomainUnknown | Cause::DomainInvalid => {
            ("ソフトに入っている配信先のURLは、このサービスのものではありません。", NEW_ADDRESS)
        }
        Cause::DomainDisabled | Cause::AppDisabled => ("この配信先は、いま止められています。", ASK),
        Cause::StreamForbidden => ("この配信は、いま許可されていません。", ASK),
        Cause::ChannelMissing => ("この名前のチャンネルはありません。", NEW_ADDRESS),
        Cause::ChannelStopped => ("このチャンネルは、いま止められています。", ASK),
        Cause::StreamNameIllegal => (
            "ストリームキーに使えない文字があるか、長すぎます。",
            "前後に空白を入れずに、ストリームキーをコピーし直してください。",
        ),
        Cause::AppNameIllegal => (
            "配信先のURLに使えない文字があるか、長すぎます。",
            "前後に空白を入れずに、配信先のURLをコピーし直してください。",
        ),
        Cause::IpBlocked => ("お使いの回線からの配信は、許可されていません。", ASK),
        Cause::IpNotAllowed => (
            "決められた回線からだけ配信でき、お使いの回線は含まれていません。",
            "取り決めた場所から配信するか、回線を追加してもらってください。",
        ),
        Cause::ExpiryMissing | Cause::SignatureMissing => (
            "ストリームキーの末尾が欠けています。",
            "「?」より後ろも含めて、ストリームキー全体をコピーし直してください。",
        ),
        Cause::Expired => (
            "配信先のURLの有効期限が過ぎています。",
            "新しいURLとキーを受け取ってください。前のものはもう使えません。",
        ),
        Cause::SignatureWrong => (
            "ストリームキーが正しくありません。",
            "ストリームキー全体をコピーし直してください。それでも断られるときは、新しいキーを受け取ってください。",
        ),
        Cause::TooManyPushes => (
            "このアカウントで同時にできる配信の数に達しています。",
            "ほかの配信を先に終えるか、上限を上げてもらってください。",
        ),
        Cause::TooManyPushesOfStream | Cause::PriorityLower => (
            "同じストリームキーで、すでに配信中の人がいます。",
            "先にもう一方の配信を終えてください。心当たりがないときは、新しいキーを受け取ってください。",
        ),
        Cause::HookRefused => (
            "サービスがこの配信を許可しませんでした。",
            "サービスにログインしていて配信できる状態か確かめ、キーを受け取り直してください。",
        ),
        Cause::MediaStopped => (
            "接続は続いていましたが、映像と音声が届かなくなりました。",
            "ソフトが固まったか、カメラが外れた可能性があります。ソフトを再起動して始め直してください。",
        ),
        Cause::Dropped => (
            "サービスの運営者が、この配信を終わらせました。",
            "もう一度始められます。理由が分からないときは、運営者に聞いてください。",
        ),
        Cause::Forbidden => ("サービスの運営者がこの配信を終わらせ、しばらく禁止しました。", ASK),
        Cause::TakenOver => (
            "同じストリームキーで別の端末が配信を始め、そちらに切り替わりました。",
            "キーは1台だけで使ってください。心当たりがないときは、新しいキーを受け取ってください。",
        ),
        Cause::TakenOverEmpty => (
            "データが届かなくなった配信に、同じキーの新しい配信が代わりました。",
            "ご自分で始め直したのなら問題ありません。違うときは、新しいキーを受け取ってください。",
        ),
        Cause::MediaBroken => ("映像か音声が壊れて届き、表示できませんでした。", PROGRAM),
        Cause::LeftBeforeFirstByte
        | Cause::LeftInRtmpHandshake
        | Cause::LeftBeforeConnect
        | Cause::LeftAfterConnect
        | Cause::LeftBeforePublish
        | Cause::LeftInTlsHandshake
        | Cause::LeftInSrtHandshake
        | Cause::LeftInWebrtcSetup => (
            "配信が始まる前に、接続が切れました。",
            "もう一度始めてください。先へ進まないときは、別の回線を試してください。途中で遮断されている可能性があります。",
        ),
        Cause::LeftInAuthHook => {
            ("配信できるかを確かめている間に、接続が切れました。", "もう一度始め、10秒ほど待ってください。")
        }
        Cause::Imported => ("配信は別のシステムで終わり、理由は伝えられていません。", ASK),
        Cause::RowUnreadable => ("配信は終わりましたが、その記録が壊れていました。", LATER),
        Cause::Unplayed => (
            "長い間だれも見ていなかったため、配信を終えました。",
            "見る人がいるときに、もう一度始めてください。",
        ),
        Cause::FrameRateLimit => (
            "1秒あたりの映像の枚数が、このサービスの上限を超えました。",
            "ソフトのフレームレートを30か60にして、始め直してください。",
        ),
    }
}
