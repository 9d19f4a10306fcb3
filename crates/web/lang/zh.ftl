# 控制台文字(中文)。每行一条,键和参数与其他语言相同。

skip-to-content = 跳到正文
navigation = 页面
language = 语言
sign-out = 退出
times-in = 时间显示:

sign-in-title = 登录
sign-in-user = 用户名
sign-in-password = 密码
sign-in-button = 登录
sign-in-hint = 服务器首次启动时,会把用户“admin”的密码写入数据目录下的 secrets.toml。
sign-in-wrong = 用户名或密码不正确。
sign-in-stale = 表单已过期,请重新输入用户名和密码。
sign-in-wait = 来自您地址的失败次数过多,请在 { $n } 分钟后再试。
sign-in-unsafe = 此连接未加密,不能登录。
sign-in-unsafe-advice = 请在服务器本机打开控制台;或在前面放置支持 TLS 的代理,并将其写入 [http] trusted_proxies;在可信网络中也可以设置 [http] insecure = true。

records-title = 断流记录
records-short = 断流记录
records-unreadable = 暂时无法读取记录。记录没有丢失,原因见服务器日志。
records-none-match = 没有符合条件的记录。
records-none-yet = 还没有结束的推流。推流一结束,就会连同原因显示在这里。
records-push-hint = 先生成带签名的地址,推一路测试画面,再停止推流:
no-stream = (未指定流名)

column-stream = 流名称
column-app = 路径
column-domain = 域名
column-start = 开始时间
column-end = 结束时间
column-duration = 推流时长
column-client = 客户端 IP
column-cause = 断流原因

filter-match = 匹配方式
filter-exact = 精确
filter-fuzzy = 模糊
filter-side = 断流方
filter-all = 全部
filter-range = 时间范围
filter-since = 从
filter-until = 到
filter-apply = 查询
filter-clear = 清除条件
range-all = 全部记录
range-hour = 最近 1 小时
range-day = 最近 24 小时
range-week = 最近 7 天
range-custom = 指定时间

paging = 更多记录
paging-older = 更早
paging-newest = 回到最新

record-title = 断流详情
record-missing = 没有这个 ID 的记录,可能已超过保存期限。
record-side = 断流方:{ $n }
record-advice = 处理办法
record-findings = 判断依据
record-no-findings = 除原因本身外,证据中没有其他发现。
record-no-evidence = 这条记录没有保留证据:已超过保存期限,或未能采集。
record-facts = 基本信息
record-never-live = 未开始直播

confidence-certain = 确定
confidence-strong = 基本确定
confidence-likely = 很可能
confidence-possible = 有可能

fact-duration = 推流时长
fact-attempts = 尝试次数
fact-client = 客户端
fact-protocol = 协议
fact-encoder = 编码器
fact-video = 视频
fact-audio = 音频
fact-channels = { $n } 声道
fact-bytes-in = 接收
fact-bytes-out = 发送
fact-query = 地址参数
fact-node = 节点
fact-account = 账号
fact-id = 记录 ID
fact-sequence = 序列号

causes-title = 原因一览
causes-meaning = 含义
causes-records = 查看记录

duration-seconds = { $s } 秒
duration-minutes = { $m } 分 { $s } 秒
duration-hours = { $h } 小时 { $m } 分
duration-days = { $d } 天 { $h } 小时
