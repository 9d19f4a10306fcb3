//! The table in Japanese. Each `errmsg` is verbatim that of the public table.

use super::{Cause, Text};

const UNKNOWN: &str = "原因不明";
const CLIENT_CLOSED: &str = "プッシュクライアントが自動的にストリームを切断しました";
const INTERNAL: &str = "ライブストリーミングシステム内部のエラー";
const RTMP_CONTENT: &str = "RTMPプロトコルのコンテンツ異常";
const NO_DATA: &str = "システムが長時間データのないプッシュを自動的に切断しました";
const NETWORK: &str = "プッシュ接続ネットワークの異常";

pub(super) const fn text(cause: Cause) -> Text {
    match cause {
        Cause::Unknown => Text {
            errmsg: UNKNOWN,
            meaning: "配信は終了しましたが、観測された内容に当てはまる原因がありません。",
            advice: "記録を残し、証拠を添えて報告してください。原因が付かない終了はサーバーの不具合です。",
        },
        Cause::DeleteStream => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "エンコーダーがdeleteStreamを送り、通常の手順で配信を終えました。",
            advice: "意図した停止なら対応は不要です。心当たりがなければ、誰が何で停止したかをエンコーダーのログで確認してください。",
        },
        Cause::CloseStream => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "エンコーダーがcloseStreamで配信を終えたか、FCUnpublishでストリーム名を返却しました。",
            advice: "意図した停止なら対応は不要です。アプリの場合、配信の切り替えやバックグラウンドへの移行でも起こります。",
        },
        Cause::EndOfFile => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "通常の停止なら送られる終了の合図がないまま、エンコーダー側が接続を閉じました。",
            advice: "エンコーダーが異常終了したか、OSに終了させられていないか確認してください。メッセージの途中で切れていれば、その可能性が高くなります。",
        },
        Cause::Reset => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "終了の合図がないまま、エンコーダー側から接続がリセットされました。",
            advice: "エンコーダーの異常終了や強制終了を確認してください。Windowsではその際、通常リセットになります。\
                     動き続けていた場合は、経路上のファイアウォールなどの機器もリセットを送るため、そちらを調べてください。",
        },
        Cause::TaskFailed => Text {
            errmsg: INTERNAL,
            meaning: "サーバー内でこの配信を受け持つ処理が失敗しました。",
            advice: "もう一度配信し、この記録を報告してください。サーバーの不具合です。",
        },
        Cause::ProtocolBroken => Text {
            errmsg: RTMP_CONTENT,
            meaning: "RTMPで許されないデータが届き、それ以上読み取れなくなりました。",
            advice: "違反した規則とバイト位置は詳細に示します。このポートにRTMPエンコーダー以外のプログラムが接続していないか確認してください。",
        },
        Cause::MessageTooLarge => Text {
            errmsg: "RTMP単独のフレームサイズが設定で許可される最大値を超えています",
            meaning: "1つのRTMPメッセージが、サーバーの受け付ける大きさを超えました。",
            advice: "ビットレートを下げるか、キーフレームの間隔を短くしてください。4K以上ではメッセージの上限を引き上げてください。",
        },
        Cause::NeverSentMedia => Text {
            errmsg: NO_DATA,
            meaning: "配信は始まりましたが、制限時間のあいだ、映像も音声も一度も届きませんでした。",
            advice: "エンコーダーの入力を確認してください。接続はできていますが、映像や音声の入力がありません。",
        },
        Cause::NodeStopped => Text {
            errmsg: INTERNAL,
            meaning: "配信中に、このサーバーが正規の手順で停止されました。",
            advice: "サーバーの再開後にもう一度配信してください。再起動は配信のない時間帯に行うことをお勧めします。",
        },
        Cause::ProxyToldToStop => Text {
            errmsg: "プロキシレイヤーがストリーム切断のコマンドを受信しました",
            meaning: "このサーバーは配信を中継していましたが、中継をやめるよう指示を受けました。",
            advice: "もう一度配信すると別のサーバーに接続されます。理由は中継先のサーバー、またはノードの切り離しを行った担当者に確認してください。",
        },
        Cause::NodeDied => Text {
            errmsg: INTERNAL,
            meaning: "配信中にこのサーバーが突然停止しました。記録は次の起動時に補完されたものです。",
            advice: "もう一度配信してください。その時刻に異常終了、メモリー不足、停電がなかったか、システムのログを確認してください。",
        },
        Cause::PathLost => Text {
            errmsg: NETWORK,
            meaning: "エンコーダーまでの経路が失われました。何も届かず、こちらが送ったデータにも受信確認が返りませんでした。",
            advice: "その時刻のエンコーダー側の回線（ケーブル、Wi-Fi、モバイル回線、ルーター）を確認してください。\
                     複数の配信が同時に切れていれば、共通の回線事業者かサーバー側のネットワークが疑われます。",
        },
        Cause::Unreachable => Text {
            errmsg: NETWORK,
            meaning: "エンコーダーのホストに到達できないと、ネットワークから通知されました。",
            advice: "エンコーダーのIPアドレスやネットワークが失われていないか、途中の経路とファイアウォールに問題がないか確認してください。",
        },
        Cause::SendFailed => Text {
            errmsg: NETWORK,
            meaning: "エンコーダーへの送信が失敗しました。受信したデータには理由が見当たりません。",
            advice: "その時刻のエンコーダー側のネットワークを確認してください。繰り返す場合は、接続を切る機器が途中にないか調べてください。",
        },
        Cause::UplinkCollapsed => Text {
            errmsg: NETWORK,
            meaning: "エンコーダーの上り回線が配信に追いつかなくなり、その後に接続が閉じました。",
            advice: "ビットレートを下げるか、より良い回線を使ってください。なお、混雑中に人が停止した場合も、サーバーからは同じに見えます。",
        },
        Cause::LagLimit => Text {
            errmsg: NETWORK,
            meaning: "実時間からの遅れが上限を超えたため、配信を切断しました。",
            advice: "ビットレートかエンコーダーの負荷を下げるか、遅れの上限を引き上げてください。",
        },
        Cause::TransportLost => Text {
            errmsg: NETWORK,
            meaning: "TLSのデータが壊れたか、SRTまたはWebRTCの相手が応答しなくなり、通信が失われました。",
            advice: "エンコーダー側の回線と、UDPやTLSの通信がファイアウォールで妨げられていないかを確認してください。",
        },
        Cause::CatalogUnavailable => Text {
            errmsg: INTERNAL,
            meaning: "アカウントとドメインの一覧をサーバーが読み込めておらず、配信を受け付けられませんでした。",
            advice: "読み込めない理由をサーバーのログで確認してください。エンコーダーは再試行してかまいません。",
        },
        Cause::RegistryUnreachable => Text {
            errmsg: INTERNAL,
            meaning: "クラスターのストリーム登録簿に接続できず、配信を受け付けられませんでした。",
            advice: "ノード間のネットワークと登録簿の状態を確認してください。エンコーダーは再試行してかまいません。",
        },
        Cause::RegistryConflict => Text {
            errmsg: INTERNAL,
            meaning: "別のノードが同じストリームを保持したままで、競合が時間内に解消しませんでした。",
            advice: "数秒おいて再試行してください。続く場合は、どのノードが保持しているかの認識に食い違いがないか確認してください。",
        },
        Cause::JournalUnwritable => Text {
            errmsg: INTERNAL,
            meaning: "サーバーがジャーナルに書き込めませんでした。記録できない配信は受け付けません。",
            advice: "データ用ディスクの空きを増やし、ディスクのエラーを確認してください。その間も、配信中のものは続きます。",
        },
        Cause::Overload => Text {
            errmsg: INTERNAL,
            meaning: "サーバー自身の上限に達していたか、切り離し中だったため、新しい配信を受け付けませんでした。",
            advice: "達した上限は詳細に示します。サーバーの増強、配信の分散、または上限の引き上げを検討してください。\
                     切り離し中の場合は、エンコーダーが次に接続し直すと別のサーバーにつながります。",
        },
        Cause::AccountUnknown => Text {
            errmsg: "プッシュリンク先に対応するクライアント情報の取得に失敗しました",
            meaning: "配信ドメインを所有するアカウントが見つかりません。",
            advice: "アカウントを作成するか、ドメインを既存のアカウントに割り当ててください。",
        },
        Cause::AccountStopped => Text {
            errmsg: "あなたのライブストリーミングサービスは停止されています",
            meaning: "配信ドメインを所有するアカウントが停止中です。",
            advice: "アカウントのサービスを再開してから、もう一度配信してください。",
        },
        Cause::AccountOverdue => Text {
            errmsg: "アカウントの支払い延滞により、あなたのライブストリーミングサービスは一時停止されています。速やかにチャージしてください",
            meaning: "配信ドメインを所有するアカウントの支払いが滞っています。",
            advice: "支払いを済ませてアカウントを有効に戻してから、もう一度配信してください。",
        },
        Cause::AccountForceStopped => Text {
            errmsg: "あなたのライブストリーミングサービスは強制的に停止されています",
            meaning: "配信ドメインを所有するアカウントが、サーバーの運用者によって強制停止されています。",
            advice: "理由をサーバーの運用者に問い合わせてください。解除できるのは運用者だけです。",
        },
        Cause::PushByIp => Text {
            errmsg: "IPアドレスを直接使用したプッシュは許可されていません",
            meaning: "配信URLのホストがIPアドレスで、このサーバーには既定のドメインが設定されていません。",
            advice: "配信URLに配信ドメインを指定するか、サーバーに既定のドメインを設定してください。",
        },
        Cause::DomainUnknown => Text {
            errmsg: "プッシュドメイン名を認識できません",
            meaning: "配信URLのドメインは、このサーバーの配信ドメインとして登録されていません。",
            advice: "URLの入力間違いを確認するか、配信ドメインとして登録してください。",
        },
        Cause::DomainInvalid => Text {
            errmsg: "プッシュドメイン名が違法です",
            meaning: "配信URLにドメインがないか、ドメイン名として正しくありません。",
            advice: "配信URLをrtmp://ドメイン/アプリ名/ストリーム名の形に直してください。",
        },
        Cause::DomainDisabled => Text {
            errmsg: "プッシュドメイン名の使用が禁止されています",
            meaning: "配信ドメインは登録されていますが、無効になっています。",
            advice: "ドメインを有効にするか、別のドメインに配信してください。",
        },
        Cause::AppDisabled => Text {
            errmsg: "プッシュアプリケーション名の使用が禁止されています",
            meaning: "配信URLのアプリ名は、このドメインでは無効になっています。",
            advice: "アプリ名を有効にするか、配信URLのパスを直してください。",
        },
        Cause::StreamForbidden => Text {
            errmsg: "プッシュストリーム名が再生禁止の状態です",
            meaning: "このストリームは、再開時刻まで運用者によって配信が禁止されています。",
            advice: "再開時刻を待つか、禁止を解除してもらってください。",
        },
        Cause::ChannelMissing => Text {
            errmsg: "アクセスモードはチャネルモードですが、対応するプッシュチャネルが作成されていません",
            meaning: "ドメインはチャネルモードですが、このストリーム名のチャネルがありません。",
            advice: "先にチャネルを作成するか、配信URLのストリーム名を直してください。",
        },
        Cause::ChannelStopped => Text {
            errmsg: "アクセスモードはチャネルモードですが、現在プッシュチャネルはすでに停止されています",
            meaning: "ドメインはチャネルモードで、このストリーム名のチャネルは停止中です。",
            advice: "チャネルを開始してから、もう一度配信してください。",
        },
        Cause::StreamNameIllegal => Text {
            errmsg: "プッシュストリーム名に不正な文字が含まれています",
            meaning: "ストリーム名に使えない文字があるか、名前が空か長すぎます。",
            advice: "文字、数字、「-」や「_」などの記号だけを使ってください。見つかった問題は詳細に示します。",
        },
        Cause::AppNameIllegal => Text {
            errmsg: "プッシュアプリケーション名に不正な文字が含まれています",
            meaning: "配信URLのアプリ名に使えない文字があるか、名前が空か長すぎます。",
            advice: "配信URLのパスを直してください。見つかった問題は詳細に示します。",
        },
        Cause::IpBlocked => Text {
            errmsg: "プッシュクライアントIPがブラックリストに掲載されています",
            meaning: "配信元のIPアドレスが、ドメインの拒否リストに含まれています。",
            advice: "受け入れてよい配信元なら、そのアドレスかネットワークを拒否リストから外してください。",
        },
        Cause::IpNotAllowed => Text {
            errmsg: "プッシュクライアントIPがホワイトリストに掲載されていません",
            meaning: "ドメインに許可リストがあり、配信元のIPアドレスはそこに含まれていません。",
            advice: "アドレスかネットワークを許可リストに追加してください。ロードバランサー経由なら、PROXYプロトコルの設定を確認してください。",
        },
        Cause::ExpiryMissing => Text {
            errmsg: "プッシュは有効期限パラメータを有していません",
            meaning: "配信URLにtxTimeがないか、値がちょうど8桁の16進数ではありません。",
            advice: "署名付きURLを「?」以降も含めて、すべてエンコーダーに貼り付けてください。",
        },
        Cause::Expired => Text {
            errmsg: "プッシュタイムスタンプのパラメータ値が期限切れです",
            meaning: "配信URLの有効期限が過ぎていました。",
            advice: "期限を延ばしたURLを作り直してください。まだ有効なはずなら、署名したホストの時計を確認してください。",
        },
        Cause::SignatureMissing => Text {
            errmsg: "プッシュは認証パラメータを有していません",
            meaning: "ドメインは署名を必要としますが、配信URLにtxSecretがありません。",
            advice: "署名付きURLを「?」以降も含めて、すべてエンコーダーに貼り付けてください。",
        },
        Cause::SignatureWrong => Text {
            errmsg: "認証パラメータの検証をパスしていません",
            meaning: "配信URLのtxSecretが、このストリーム名と期限について、ドメインのどの鍵とも一致しません。",
            advice: "ドメインの現在の鍵で署名し直してください。ストリーム名とtxTimeは、送るものと完全に同じ文字列で署名する必要があります。",
        },
        Cause::TooManyPushes => Text {
            errmsg: "現在のプッシュ数が設定で許可される最大値を超えています",
            meaning: "アカウントまたはドメインの同時配信数が、すでに上限に達していました。",
            advice: "不要な配信を終了するか、上限を引き上げてください。",
        },
        Cause::TooManyPushesOfStream => Text {
            errmsg: "現在のストリーム名に対応するプッシュ数が設定で許可される最大値を超えています",
            meaning: "このストリームの配信数はすでに上限に達していて、先の配信が優先されました。",
            advice: "同じストリームに配信している別のエンコーダーを探すか、別のストリーム名を使ってください。",
        },
        Cause::PriorityLower => Text {
            errmsg: "プッシュのプライオリティパラメータがすでに存在するプッシュリンクを下回っています",
            meaning: "同じ名前で配信中のものの方が、高い優先度を持っています。",
            advice: "この配信に切り替えたい場合は、配信URLの優先度を上げてください。",
        },
        Cause::HookRefused => Text {
            errmsg: "サードパーティ認証に失敗しました",
            meaning: "外部の認証サービスが配信を拒否したか、有効な応答を返しませんでした。",
            advice: "認証サービスのログを確認してください。応答がないあいだは、すべての配信が拒否されます。",
        },
        Cause::MediaStopped => Text {
            errmsg: NO_DATA,
            meaning: "接続は保たれていましたが、途中から映像も音声も届かなくなり、制限時間を過ぎました。",
            advice: "エンコーダーの入力が止まっていないか、プログラムが固まっていないか確認してください。わかっていることは詳細に示します。",
        },
        Cause::Dropped => Text {
            errmsg: "顧客が呼び出したストリーム切断リクエストを受信しました",
            meaning: "運用者がAPIまたはコンソールから、この配信を切断しました。",
            advice: "誰が切断したか確認してください。エンコーダーはすぐに配信し直せます。",
        },
        Cause::Forbidden => Text {
            errmsg: "顧客が呼び出した再生禁止リクエストを受信しました",
            meaning: "運用者がAPIまたはコンソールから、配信中のストリームを禁止しました。",
            advice: "誰が禁止したか確認してください。再開時刻までは、新しい配信も拒否されます。",
        },
        Cause::TakenOver => Text {
            errmsg: "新しいプッシュリンクを受信し、現在のプッシュと置き換えました",
            meaning: "同じストリームの新しい配信が、この配信と入れ替わりました。",
            advice: "エンコーダーの再接続で起こります。2台が同じURLを使っている場合は、別々のストリーム名にしてください。",
        },
        Cause::TakenOverEmpty => Text {
            errmsg: "新しいプッシュリンクを受信し、現在の空データのプッシュと置き換えました",
            meaning: "映像も音声も送っていなかったこの配信が、同じストリームの新しい配信と入れ替わりました。",
            advice: "多くはエンコーダーが接続を失い、つなぎ直したものです。頻繁に起こるなら、上り回線を確認してください。",
        },
        Cause::LeftBeforeFirstByte => Text {
            errmsg: UNKNOWN,
            meaning: "相手は接続しましたが、1バイトも送らないまま接続が終わりました。",
            advice: "多くはポートの監視やスキャンです。エンコーダーで起きたなら、途中のファイアウォールやプロキシを確認してください。",
        },
        Cause::MediaBroken => Text {
            errmsg: RTMP_CONTENT,
            meaning: "映像または音声のデータを解析できず、厳格モードのため切断しました。",
            advice: "エンコーダーを更新するか、設定を見直してください。壊れていた箇所は詳細に示します。",
        },
        Cause::PipelineFailed => Text {
            errmsg: INTERNAL,
            meaning: "サーバーがこのストリームを処理し続けられなくなったか、読み取りが追いつきませんでした。",
            advice: "その時刻のサーバーの負荷を確認し、この記録を報告してください。エンコーダーの問題ではありません。",
        },
        Cause::LeftInRtmpHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "RTMPハンドシェイクの途中で相手が切断したか、制限時間が過ぎました。",
            advice: "回線が遅くないか、通信が遮られていないか確認してください。スキャンでも起こります。",
        },
        Cause::LeftBeforeConnect => Text {
            errmsg: UNKNOWN,
            meaning: "ハンドシェイクの後、connectを送る前に相手が切断したか、制限時間が過ぎました。",
            advice: "相手がRTMPエンコーダーかどうか、途中でRTMPが遮られていないか確認してください。",
        },
        Cause::LeftAfterConnect => Text {
            errmsg: UNKNOWN,
            meaning: "connectの後、ストリームを作成する前に相手が切断したか、制限時間が過ぎました。",
            advice: "エンコーダーのログを確認してください。connectへの応答を受け入れなかったか、手動で止められた可能性があります。",
        },
        Cause::LeftBeforePublish => Text {
            errmsg: UNKNOWN,
            meaning: "ストリームの作成後、publishが受理される前に相手が切断したか、制限時間が過ぎました。",
            advice: "エンコーダーのログを確認してください。多くは手動での停止か、ストリーム名の未入力です。",
        },
        Cause::LeftInTlsHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "TLSハンドシェイクの途中で相手が切断したか、制限時間が過ぎました。",
            advice: "エンコーダーがこのポートにrtmps://で接続しているか、サーバー証明書を信頼しているか確認してください。",
        },
        Cause::LeftInSrtHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "SRTハンドシェイクの途中で相手が切断したか、制限時間が過ぎました。",
            advice: "パスフレーズとストリームID、UDPが双方向に通ることを確認してください。",
        },
        Cause::LeftInWebrtcSetup => Text {
            errmsg: UNKNOWN,
            meaning: "WebRTCの接続を確立する途中で相手が切断したか、制限時間が過ぎました。",
            advice: "サーバーのWebRTC用ポートにUDP（少なくともTCP）が届くか、公開アドレスが設定されているか確認してください。",
        },
        Cause::LeftInAuthHook => Text {
            errmsg: UNKNOWN,
            meaning: "外部の認証サービスが判断しているあいだに、相手が切断しました。",
            advice: "認証サービスの応答にかかる時間を確認してください。エンコーダーはいつまでも待ってはくれません。",
        },
        Cause::AmfBroken => Text {
            errmsg: "RTMP AMFデータの異常",
            meaning: "コマンドのAMF形式が壊れていて、読み取れませんでした。",
            advice: "エンコーダーかそのRTMPライブラリーを更新してください。マーカーとバイト位置は詳細に示します。",
        },
        Cause::Imported => Text {
            errmsg: UNKNOWN,
            meaning: "ほかのシステムから取り込んだ記録で、終了の理由がわかっていません。",
            advice: "理由は取り込み元のシステムで確認してください。",
        },
        Cause::TransportGoodbye => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "エンコーダーがSRTまたはWHIPの通常の手順で配信を終えました。",
            advice: "意図した停止なら対応は不要です。心当たりがなければ、誰が何で停止したかをエンコーダーのログで確認してください。",
        },
        Cause::RowUnreadable => Text {
            errmsg: UNKNOWN,
            meaning: "この配信のジャーナルを読み取れず、どう終わったかがわかりません。",
            advice: "データ用ディスクとファイルシステムのエラーを確認してください。",
        },
        Cause::Unplayed => Text {
            errmsg: "SRSは未再生のストリームを切断します",
            meaning: "サーバーが認める時間のあいだ、このストリームを誰も再生しませんでした。",
            advice: "視聴者がいるときに配信するか、未再生の制限をオフにしてください。",
        },
        Cause::OwnershipLost => Text {
            errmsg: INTERNAL,
            meaning: "クラスター内でこのノードがストリームの所有権を失ったため、配信を終了しました。",
            advice: "もう一度配信してください。その時刻のノード間のネットワークと負荷を確認してください。",
        },
        Cause::FrameRateLimit => Text {
            errmsg: "プッシュフレームレートサイズがシステムで許可される最大値を超えています",
            meaning: "1秒あたりのフレーム数が、このサーバーの上限を超えました。",
            advice: "エンコーダーのフレームレートを下げるか、上限を引き上げてください。",
        },
    }
}
