//! Details in Japanese. How templates work: [`super::template`].

use super::DetailKey as Key;

pub(super) const fn template(key: &Key) -> Option<&'static str> {
    Some(match key {
        // How the client closed.
        Key::AtMessageBoundary => "メッセージの切れ目で接続が終わりました。",
        Key::MidMessage => {
            "メッセージの途中で接続が終わりました[（{want}のうち{have}バイトを受信）][（種類: {message_type}）]。"
        }
        Key::KilledWhileFrozen => {
            "リセットの前、エンコーダーのプログラムは固まっていました。ホストは受信確認を返していましたが、\
             プログラムからは[{silence_ms}のあいだ]何も届きませんでした。"
        }
        Key::FcUnpublishClosed => "エンコーダーはFCUnpublishでストリーム名を返却し、その後接続を閉じました。",
        Key::FcUnpublishAlone => {
            "エンコーダーはFCUnpublishでストリーム名を返却しましたが、[{waited_ms}以内に]deleteStreamは届きませんでした。"
        }
        Key::Republished => {
            "エンコーダーはストリーム名を返却し、同じ接続で別の名前の配信を始めました[（{stream}）]。"
        }
        Key::SrtShutdown => "エンコーダーがSRTのSHUTDOWNを送りました。",
        Key::WhipDelete => "エンコーダーがWHIPセッションを終了しました。",

        // The path between encoder and server.
        Key::NatLost => {
            "[{silence_ms}の無通信の後、]こちらの応答確認に対してリセットが返りました。途中のルーターまたはNATから接続の情報が失われています。"
        }
        Key::PathLost => {
            "[{silence_ms}のあいだ]何も届かず、こちらが送ったデータにも[{unacked_ms}のあいだ]受信確認が返りませんでした\
             [（未確認: {unacked_bytes}）][（再送: {retransmits}回）]。"
        }
        Key::PathOneWay => {
            "[{unacked_ms}のあいだ、]こちらのデータはエンコーダーに届いていませんでした。エンコーダーからのデータは届いていました\
             [（再送されたセグメント: {segments}個）]。"
        }
        Key::IcmpUnreachable => {
            "エンコーダーのホストに到達できないと、ネットワークから通知されました[（{errno}）]。"
        }
        Key::SendFailed => "エンコーダーへの書き込みが失敗しました[（{errno}）]。",
        Key::Collapse => {
            "エンコーダーの上り回線が配信に追いつかなくなりました\
             [。{window_ms}で実時間から{drift_ms}遅れました][。受信側の往復時間は{rcv_rtt_ms}で、普段は{baseline_ms}です]\
             [。時間の{trickle_percent}%はメッセージが途切れ途切れに届いていました][。順序の乱れたセグメントは{segments}個です][。映像が{video_gone_ms}途絶えていました]。"
        }
        Key::LagLimit => "実時間からの遅れが大きすぎました[（{lag_ms}）][。上限は{limit_ms}です]。",
        Key::TlsBroken => "TLSのデータを読み取れませんでした[（{reason}）]。",
        Key::PeerTimeout => "SRTの相手からの通信が[{silence_ms}のあいだ]途絶えました。",
        Key::ConsentLost => "WebRTCの相手が[{silence_ms}のあいだ]応答しませんでした。",
        Key::PeerPortClosed => {
            "エンコーダーのホストから、そのUDPポートはもう使われていないという応答がありました。"
        }

        // Silence and limits of media.
        Key::EncoderStalled => {
            "[{silence_ms}のあいだ]映像も音声も届きませんでしたが、プログラムはこちらのpingに応答しました。\
             エンコード処理が止まっています[（制限: {limit_ms}）]。"
        }
        Key::EncoderFrozen => {
            "[{silence_ms}のあいだ]映像も音声も届きませんでした。ホストは動いていますが、以前はpingに応答していた\
             プログラムが応答しなくなり、固まっています[（制限: {limit_ms}）]。"
        }
        Key::HostAlive => {
            "[{silence_ms}のあいだ]映像も音声も届きませんでした。エンコーダーのホストは動いていますが、\
             プログラムの状態はわかりません[（制限: {limit_ms}）]。"
        }
        Key::DataWithoutMedia => {
            "データは届いていましたが、[{silence_ms}のあいだ]映像も音声も含まれていませんでした[（制限: {limit_ms}）]。"
        }
        Key::UnplayedFor => "[{limit_ms}のあいだ、]誰もこのストリームを再生しませんでした。",
        Key::FrameRate => {
            "フレームレートが高すぎました[（毎秒{fps}フレーム）][（{window_ms}の平均）][。上限は毎秒{limit}フレームです]。"
        }

        // Before a push was live.
        Key::SetupLimit => {
            "この段階に時間がかかりすぎたため、サーバーが接続を閉じました[（制限: {limit_ms}）]。"
        }
        Key::WebrtcNoPath => {
            "[{limit_ms}以内に]相手からこのサーバーへの経路確認が1件も届きませんでした。ファイアウォールがUDPを通さないか、\
             伝えたアドレスに相手が到達できません。"
        }
        Key::WebrtcNoDtls => {
            "相手はこのサーバーへの経路を見つけました[（確認{checks}件）]が、[オファーから{after_ms}後も]DTLSが完了しませんでした。"
        }
        Key::WebrtcOffer => "オファーに応答できませんでした[: {found}]。",
        Key::SetupClosed => "[接続から{after_ms}後に、]相手の側で接続が終わりました[（{close}）]。",
        Key::TlsLeft => {
            "[接続から{after_ms}後、]TLSハンドシェイクの途中で相手が離れました[（{close}）]。サーバーの証明書を受け取った後なので、\
             証明書を信頼していない可能性があります。"
        }
        Key::TlsHandshakeFailed => "TLSハンドシェイクに失敗しました[（{reason}）][（{version}）]。",
        Key::PlainOnTls => {
            "TLS用のポートに、暗号化されていないRTMPが届きました。このポートへはrtmps://で、RTMP用のポートへはrtmp://で配信してください。"
        }

        // What the client sent.
        Key::Rule => {
            "規則に反するデータです[（{rule}）][。接続の{offset}バイト目][、{path}][。{found}][（{class}）]\
             [。メッセージの種類: {message_type}][、長さ: {length}][、チャンクストリーム: {chunk_stream}]。"
        }
        Key::TlsOnPlain => {
            "暗号化しないRTMP用のポートに、TLSが届きました。このポートへはrtmp://で、RTMPS用のポートへはrtmps://で配信してください。"
        }
        Key::MessageLimit => {
            "メッセージが大きすぎました[（{size}）][（種類: {message_type}）][。上限は{limit}です][。接続の{offset}バイト目です]。"
        }
        Key::MessageBudget => {
            "受信途中のメッセージが、全体で使えるメモリーを使い切りました[。このメッセージは{size}です][。上限は{limit}です]。"
        }
        Key::AmfMarker => {
            "AMFの値が、そこでは許されないマーカーで始まっています[（{marker}）][。接続の{offset}バイト目][、{path}][（{rule}）]。"
        }
        Key::SecondPublish => "配信中の接続で、2つ目のpublishが行われました[（配信中: {live}）]。",

        // This server.
        Key::TaskPanic => "この配信を受け持つ処理が失敗しました[（{reason}）]。",
        Key::DroppedUnclosed => "サーバーが、終了の処理をしないままこの配信を手放しました。",
        Key::OwnWindowClosed => {
            "サーバーの読み取りが追いつかず、受信ウィンドウが閉じていました[。終了の{before_ms}前です][。閉じていた時間は{closed_ms}です]。"
        }
        Key::PipelinePart => "ライブ処理の一部が失敗しました[（{part}）][。{reason}]。",
        Key::RecoveredAtStart => {
            "次の起動時、ジャーナルではこの配信がまだ続いていました[。起動は{recovered_at}です][。最後に確認できたのは{last_seen}です]。"
        }
        Key::UpstreamOrder => "中継先のサーバーから停止の指示を受けました[（{address}）][。応答: {said}]。",
        Key::UpstreamRefused => {
            "中継先のサーバーが配信を拒否しました[（{address}）][。応答: {said}][（{step}）]。"
        }
        Key::UpstreamClosed => {
            "中継先のサーバーが何も告げずに接続を終了しました[（{address}）][。切断の種類: {close}][（{step}）]\
             [。その前の{silence_ms}、配信からメディアが届いていませんでした]。"
        }
        Key::UpstreamUnreachable => "中継先のサーバーに接続できませんでした[（{address}）][: {reason}]。",
        Key::UpstreamSilent => {
            "中継先のサーバーが応答しなくなりました[（{address}）][（{step}）][。制限時間は{limit_ms}]。"
        }
        Key::UpstreamBroken => {
            "中継先のサーバーから届いたデータはRTMPではありません[（{address}）][: {reason}]。"
        }
        Key::Drain => "運用者がこのノードを切り離しました。",
        Key::CatalogError => "アカウントとドメインの一覧を利用できませんでした[（{reason}）]。",
        Key::RegistryError => {
            "ストリーム登録簿から[{waited_ms}のあいだ]有効な応答がありませんでした[（{reason}）]。"
        }
        Key::DiskFull => "ジャーナルのあるディスクがいっぱいです。",
        Key::StoreError => "ジャーナルでエラーが起きました[（{reason}）]。",
        Key::JournalSlow => "ジャーナルへの書き込みが時間内に確定しませんでした[（制限: {limit_ms}）]。",
        Key::OverloadOf => {
            "サーバー自身の上限に達しました[（{of}）][。現在は{have}です][。上限は{limit}です]。"
        }
        Key::LeaseLost => "ストリームの所有権が期限切れになったか、ほかのノードに移りました[（{reason}）]。",

        // Refusals of admission.
        Key::AccountUnknown => {
            "アカウントが見つかりません[（{account}）][。ドメイン{domain}の所有者として登録されています]。"
        }
        Key::AccountStopped => "アカウントは停止中です[（{account}）]。",
        Key::AccountOverdue => "アカウントの支払いが滞っています[（{account}）]。",
        Key::AccountForceStopped => "アカウントは強制停止されています[（{account}）]。",
        Key::AddressInUrl => "配信URLのホストがIPアドレスです[（{ip}）]。",
        Key::DomainUnknown => "ドメインが登録されていません[（{domain}）]。",
        Key::DomainForPlaying => "配信用ではなく、再生用のドメインです[（{domain}）]。",
        Key::DomainInvalid => "ドメイン名として正しくありません[（{domain}）]。",
        Key::DomainMissing => "配信URLにドメインがありません。",
        Key::DomainDisabled => "ドメインは無効になっています[（{domain}）]。",
        Key::AppDisabled => "アプリ名は無効になっています[（{app}）][。ドメインは{domain}です]。",
        Key::ForbiddenUntil => {
            "このストリームは[{until}まで]配信が禁止されています[（{since}から）][。禁止した人: {who}][。理由: {reason}]。"
        }
        Key::ChannelMissing => "チャネルがありません[（{stream}）]。",
        Key::ChannelStopped => "チャネルは停止中です[（{stream}）]。",
        Key::StreamNameIllegal => {
            "このストリーム名は使えません[。{fault}][（{bytes}）][（「{found}」）][（{position}文字目）]。"
        }
        Key::AppNameIllegal => {
            "このアプリ名は使えません[。{fault}][（{bytes}）][（「{found}」）][（{position}文字目）]。"
        }
        Key::IpBlocked => {
            "このIPアドレスは拒否リストに含まれています[（{ip}）][。該当する項目は{network}です]。"
        }
        Key::IpNotListed => {
            "このIPアドレスは許可リストに含まれていません[（{ip}）][。リストの項目は{networks}件です]。"
        }
        Key::TimeMissing => "配信URLにtxTimeがありません。",
        Key::TimeMalformed => "txTimeがちょうど8桁の16進数ではありません[（「{found}」）]。",
        Key::ExpiredAt => {
            "配信URLの有効期限が切れています[（期限: {at}）][。このストリームの前回の配信は期限内に始まり、{ended_ms}前に{last_code}で\
             終了しました。再接続の理由はその記録を確認してください][。期限内の\
             {live_since}に始まった配信がまだ続いています]。"
        }
        Key::SecretMissing => "配信URLにtxSecretがありません。",
        Key::SecretWithoutKey => "ドメインは署名を必要としますが、照合する鍵が設定されていません。",
        Key::SecretLength => {
            "txSecretの長さが署名の長さではありません[（{length}文字）]。32文字（MD5）か64文字（SHA-256）のはずです。"
        }
        Key::SecretUpperCase => "txSecretは、小文字であれば正しい値です。",
        Key::SecretForPath => {
            "txSecretは、アプリ名とストリーム名を合わせて署名されています。ストリーム名だけで署名してください。"
        }
        Key::SecretForTimeCase => {
            "txSecretは、大文字と小文字の異なるtxTimeで署名されています。送るものと同じ文字列で署名してください。"
        }
        Key::SecretMismatch => {
            "txSecretが、このストリーム名とtxTimeについて、ドメインのどの鍵とも一致しません。"
        }

        // Limits, other pushes of the stream, hook, and people.
        Key::LimitOf => {
            "配信数の上限に達しました[（対象: {scope}）][。現在は{have}件です][。上限は{limit}件です]。"
        }
        Key::AlreadyLive => {
            "このストリームはすでに配信中です[。配信元は{address}です][。配信中のIDは{push}です][。配信時間は{live_ms}です]。"
        }
        Key::Duel => {
            "2つの配信元がストリームを奪い合っています[（{window_ms}に{takeovers}回の交代）][。{live}の配信を続けます][。配信中のIDは{push}です]\
             [。{refused}からの配信は拒否しました]。"
        }
        Key::PriorityBelow => {
            "優先度が足りません[（{priority}）][。配信中のものは{live_priority}です][。配信中のIDは{push}です]。"
        }
        Key::CutWhileLive => "配信中に規則が変更されたため、切断しました。",
        Key::HookStatus => "認証サービスが拒否しました[（HTTPステータス{status}）][。理由: {reason}]。",
        Key::HookTimeout => "認証サービスが時間内に応答しませんでした[（制限: {limit_ms}）]。",
        Key::HookUnreachable => "認証サービスに接続できないか、応答を読み取れませんでした[（{reason}）]。",
        Key::ReplacedBy => {
            "新しい配信に入れ替わりました[。配信元は{address}です][。新しい配信のIDは{push}です]\
             [。この配信は{silence_ms}のあいだ、映像も音声も送っていませんでした]。"
        }
        Key::ReplacedOf => {
            "この配信は、別の配信と入れ替わって始まりました[。元の配信元は{address}です][。元の配信のIDは{push}です]。"
        }
        Key::OrderedBy => "人の操作によるものです[（{who}）][。操作の経路: {via}][。理由: {reason}]。",
        Key::ImportedFrom => "[{source}から]取り込んだ記録です。",
        Key::RowError => "ジャーナルのこの配信の行を読み取れませんでした[（{reason}）]。",
        Key::Unexplained => {
            "この終わり方を説明できる規則がありません[。観測された終わり方: {close}][。段階: {stage}][。{errno}]。"
        }

        // Findings: signs for or against a cause.
        Key::GoodbyeReceived => "終了の合図を受信しました[（{command}）]。",
        Key::NoGoodbye => "終了の合図は受信していません。",
        Key::CloseAfterGoodbye => "終了の合図の後に起きたことは、原因として扱いません[（{close}）]。",
        Key::OwnActFirst => {
            "先に動いたのはサーバーです。その後の相手の動きは、それに対する反応です[（{close}）]。"
        }
        Key::SocketEnded => "接続が終わりました[（{close}）][（{errno}）]。",
        Key::StageReached => "終了した段階がわかっています[（{stage}）]。",
        Key::LastCommand => {
            "最後に受信したコマンドが記録されています[（{command}）][。終了の{before_ms}前です]。"
        }
        Key::MediaUntilEnd => "映像や音声は終了まで届いていました[。最後の受信は終了の{last_ms}前です]。",
        Key::NoMediaFor => "終了の前、[{silence_ms}のあいだ]映像も音声も届いていませんでした。",
        Key::SilenceBefore => "終了の前、[{silence_ms}のあいだ]1バイトも届いていませんでした。",
        Key::NoSilence => {
            "終了の前に無通信の時間はありませんでした[。最後の受信は終了の{silence_ms}前です]。"
        }
        Key::ProbeUnacknowledged => {
            "こちらの応答確認に対する受信確認は[{probe_ms}のあいだ]一度も返りませんでした[（再送: {retransmits}回）]。"
        }
        Key::ProbeAcknowledged => {
            "エンコーダーのホストは、こちらの応答確認を受け取りました[（終了の{probe_ms}前に送信）]。"
        }
        Key::ProbeAnswered => {
            "エンコーダーのプログラムは、こちらのpingに応答しました[（終了の{probe_ms}前に送信）]。"
        }
        Key::ClientHabit => "これは[{client}の]癖です[：{habit}]。",
        Key::NeverAnsweredPing => {
            "このプログラムはpingに一度も応答したことがなく、応答がないことからは何も判断できません。"
        }
        Key::RttRisen => "受信側の往復時間が[{rcv_rtt_ms}に]伸びました[（普段は{baseline_ms}）]。",
        Key::RttFlat => "受信側の往復時間は普段どおりでした[（{rcv_rtt_ms}）][（基準は{baseline_ms}）]。",
        Key::DriftGrew => "配信が実時間から遅れました[（{window_ms}で{drift_ms}）]。",
        Key::DriftSteady => "配信は実時間どおりに届いていました[（{window_ms}で{drift_ms}の変化）]。",
        Key::OutOfOrder => {
            "欠落の後のように、順序の乱れたセグメントが届きました[（{window_ms}で{segments}個）]。"
        }
        Key::VideoGone => "音声は続いていましたが、映像が[{video_gone_ms}]途絶えていました。",
        Key::EncoderSlow => {
            "ネットワークは安定していましたが、エンコーダーが実時間から遅れました。負荷が高すぎます\
             [。毎秒{fps}フレームです][。{window_ms}で{drift_ms}遅れました]。"
        }
        Key::WriteFailed => "エンコーダーへの書き込みも失敗していました[（{errno}）]。",
        Key::PathSuspectBefore => "以前にも通信が途絶え、その後回復していました[（{times}回）]。",
        Key::CloseNotify => "TLSが終了の通知とともに終わりました。プログラムが自分で接続を閉じています。",
        Key::NoCloseNotify => "TLSが、終了の通知なしに終わりました。",
        Key::BytesProve => "受信したデータそのものが証拠です[（接続の{offset}バイト目）]。",

        // Findings: what else happened, what cannot be told from here, and what makes the signs weaker.
        Key::EventsSeen => "配信中に異常がありました[：{event}][、{times}回][、最後は終了の{last_ms}前]。",
        Key::BehindAtEnd => "終了した時点で、配信は実時間から大きく遅れていました[（{lag_ms}）]。",
        Key::UntoldPersonOrScript => {
            "人が停止したのか、スクリプトや予約、ファイルの終わりによるものかは、サーバーからはわかりません。エンコーダーのログでわかります。"
        }
        Key::UntoldCloser => {
            "プログラムが終了したのか、異常終了や強制終了か、プロキシやファイアウォールが代わりに閉じたのかは、サーバーからはわかりません。エンコーダーのログか、エンコーダー側のパケットキャプチャでわかります。"
        }
        Key::UntoldResetSender => {
            "Windowsでは、プログラムが異常終了したり終了させられたりすると、通常リセットになります。途中の機器がリセットすることもあります。エンコーダー側のシステムログかパケットキャプチャでわかります。"
        }
        Key::UntoldStopInCongestion => {
            "ネットワークが原因で終わったのか、混雑中に人が停止したか強制終了されたのかは、サーバーからはわかりません。エンコーダーのログか終了コードでわかります。"
        }
        Key::UntoldFrozenOrSource => {
            "プログラムが固まっているのか、送るものがなくpingに応答しないだけなのかは、サーバーからはわかりません。エンコーダー側でのプログラムの状態でわかります。"
        }
        Key::UntoldSource => {
            "カメラやファイルが終わったのか、人が一時停止したのかなど、エンコーダーが映像や音声を送らなくなった理由は、サーバーからはわかりません。エンコーダーのログでわかります。"
        }
        Key::UntoldWherePathBroke => {
            "エンコーダーの機器の電源が切れたのか、その回線が切れたのか、途中のネットワークの障害かは、サーバーからはわかりません。その機器の稼働時間と回線のログでわかります。"
        }
        Key::UntoldRouter => {
            "ルーターが再起動したのか、表があふれたのか、無通信の接続を忘れたのかは、サーバーからはわかりません。エンコーダー側のルーターのログか稼働時間でわかります。"
        }
        Key::UntoldOwnLoad => {
            "このサーバーがデータを読まなかった理由は、記録からはわかりません。その時刻のこの機器のCPU、メモリー、ディスクの負荷でわかります。"
        }
        Key::UntoldNodeEnd => {
            "このプログラムが異常終了したのか、強制終了されたのか、機器が落ちたのかは、ジャーナルからはわかりません。機器のカーネルログとサービスのログでわかります。"
        }
        Key::UntoldWhoLeft => {
            "あきらめたエンコーダーなのか、死活監視やスキャンなのかは、サーバーからはわかりません。アドレスの持ち主か、そのクライアントのログでわかります。"
        }
        Key::UntoldSameEncoder => {
            "新しい配信が、同じエンコーダーの再接続か別のものかは、確実にはわかりません。新しい配信の記録にあるアドレスとエンコーダーでわかります。"
        }
        Key::UntoldWhoBroke => {
            "エンコーダーがこのデータを送ったのか、途中の機器が書き換えたのかは、サーバーからはわかりません。エンコーダー側のパケットキャプチャでわかります。"
        }
        // Health.
        Key::HealthTooShort => "配信時間が短く、評価できません[（{live_ms}）][。{needed_ms}以上必要です]。",
        Key::HealthCodecs => "コーデック[：{video}][、{audio}]。",
        Key::HealthUncommonCodec => "多くのプレーヤーで再生できないコーデックです[：{video}][、{audio}]。",
        Key::HealthNoVideo => "映像が届きませんでした[（音声：{audio}）]。",
        Key::HealthNoAudio => "音声が届きませんでした[（映像：{video}）]。",
        Key::HealthBitrate => "ビットレート[：{kbps} kbit/s][（予定は{expected_kbps} kbit/s）]。",
        Key::HealthSteadiness => {
            "ビットレートの安定性[：最も低い5秒間は{least_kbps} kbit/s][（普段は{usual_kbps} kbit/s）]。"
        }
        Key::HealthFrameRate => "フレームレート[：毎秒{fps}フレーム][（予定は{expected_fps}）]。",
        Key::HealthKeyFrames => {
            "キーフレームの間隔[：平均{mean_ms}][、最短{shortest_ms}][、最長{longest_ms}]。"
        }
        Key::HealthOneKeyFrame => {
            "キーフレームは[{live_ms}のあいだに]1つだけでした。途中から視聴する人には、次のキーフレームまで映りません。"
        }
        Key::HealthOffset => "音声と映像のずれ[：最大{widest_ms}][（変化{drift_ms}）]。",
        Key::HealthLag => "実時間からの遅れ[：最大{worst_ms}]。",
        Key::HealthTimestamps => "タイムスタンプが飛ぶか戻りました[（{times}回）]。",
        Key::HealthGaps => "音声または映像が途切れました[（{times}回）]。",
        Key::HealthBroken => "解析できないデータがありました[（{times}回）]。",
        Key::HealthPath => "通信経路[：往復時間{rtt_ms}][、パケットの損失・順序違い{lost_percent} %]。",

        Key::StopLooksSame => {
            "混雑中に人が停止した場合やプログラムが強制終了された場合も、サーバーからは同じに見えます。"
        }
        Key::ResetSenderUnknown => {
            "リセットを送ったのがエンコーダーか、途中の機器かは、サーバーからは区別できません。"
        }
        Key::BehindProxy => {
            "ロードバランサーを経由した接続です。TCPの情報はロードバランサーまでの区間のもので、エンコーダーまでのものではありません。"
        }
        Key::NoTcpFacts => "この接続のTCPの情報は取得できませんでした。",
        Key::Other(_) => return None,
    })
}
