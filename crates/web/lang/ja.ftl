# 管理画面の文言(日本語)。1行に1メッセージ。キーと引数は他の言語と同じです。

skip-to-content = 本文へ移動
navigation = ページ
language = 言語
sign-out = サインアウト
times-in = 時刻の表示:

sign-in-title = サインイン
sign-in-user = ユーザー名
sign-in-password = パスワード
sign-in-button = サインイン
sign-in-hint = ユーザー「admin」のパスワードは、サーバーの初回起動時にデータフォルダーの secrets.toml に書き込まれます。
sign-in-wrong = ユーザー名またはパスワードが違います。
sign-in-stale = フォームの有効期限が切れました。もう一度入力してください。
sign-in-wait = このアドレスからの失敗が続いています。{ $n } 分後にもう一度お試しください。
sign-in-unsafe = この接続は暗号化されていないため、サインインできません。
sign-in-unsafe-advice = サーバー本体で開くか、TLS 対応のプロキシを前に置いて [http] trusted_proxies に登録してください。信頼できるネットワーク内であれば、[http] insecure = true でも利用できます。

records-title = 断流記録
records-short = 断流記録
records-unreadable = 記録を読み出せません。記録は失われていません。原因はサーバーのログをご覧ください。
records-none-match = 条件に合う記録はありません。
records-none-yet = 終了した配信はまだありません。配信が終わると、その原因とともにここに表示されます。
records-push-hint = 署名付き URL を表示し、テスト映像を配信してから止めてみてください:
no-stream = (ストリーム名なし)

column-stream = ストリーム名
column-app = パス
column-domain = ドメイン
column-start = 開始時刻
column-end = 終了時刻
column-duration = 配信時間
column-client = クライアント IP
column-cause = 断流の原因

filter-match = 検索方法
filter-exact = 完全一致
filter-fuzzy = 部分一致
filter-side = 終了させた側
filter-all = すべて
filter-range = 期間
filter-since = 開始
filter-until = 終了
filter-apply = 検索
filter-clear = 条件を消す
range-all = 全期間
range-hour = 過去 1 時間
range-day = 過去 24 時間
range-week = 過去 7 日間
range-custom = 日時を指定

paging = 続きの記録
paging-older = 古い記録へ
paging-newest = 最新へ戻る

record-title = 断流の詳細
record-missing = この ID の記録はありません。保存期間を過ぎた可能性があります。
record-side = 終了させた側: { $n }
record-advice = 対処
record-findings = 判定の根拠
record-no-findings = 原因そのもののほかに、証拠から読み取れることはありません。
record-no-evidence = この記録の証拠は残っていません。保存期間を過ぎたか、取得できませんでした。
record-facts = 基本情報
record-never-live = 配信は始まりませんでした

confidence-certain = 確実
confidence-strong = ほぼ確実
confidence-likely = 有力
confidence-possible = 可能性あり

fact-duration = 配信時間
fact-attempts = 試行回数
fact-client = クライアント
fact-protocol = プロトコル
fact-encoder = エンコーダー
fact-video = 映像
fact-audio = 音声
fact-channels = { $n } チャンネル
fact-bytes-in = 受信量
fact-bytes-out = 送信量
fact-query = URL パラメーター
fact-node = ノード
fact-account = アカウント
fact-id = 記録 ID
fact-sequence = シーケンス番号

causes-title = 原因一覧
causes-meaning = 意味
causes-records = 記録を表示

duration-seconds = { $s } 秒
duration-minutes = { $m } 分 { $s } 秒
duration-hours = { $h } 時間 { $m } 分
duration-days = { $d } 日 { $h } 時間
