//! Details in Chinese. How templates work: [`super::template`].

use super::DetailKey as Key;

pub(super) const fn template(key: &Key) -> Option<&'static str> {
    Some(match key {
        // How the client closed.
        Key::AtMessageBoundary => "连接在两条消息之间结束。",
        Key::MidMessage => "连接在一条消息中间结束[，{want}中只收到 {have} 字节][（类型：{message_type}）]。",
        Key::KilledWhileFrozen => {
            "重置之前，编码器程序已经卡死：主机仍在确认收到数据，程序却[在 {silence_ms}内]没有发送任何内容。"
        }
        Key::FcUnpublishClosed => "编码器用 FCUnpublish 交回流名，然后关闭了连接。",
        Key::FcUnpublishAlone => "编码器用 FCUnpublish 交回流名，但[在 {waited_ms}内]没有发送 deleteStream。",
        Key::Republished => "编码器交回流名，并在同一连接上以另一个名称推流[：{stream}]。",
        Key::SrtShutdown => "编码器发送了 SRT SHUTDOWN。",
        Key::WhipDelete => "编码器结束了 WHIP 会话。",

        // The path between encoder and server.
        Key::NatLost => {
            "[沉默 {silence_ms}后，]我们的探测得到的是重置：途中的路由器或 NAT 已丢失该连接的信息。"
        }
        Key::PathLost => {
            "[在 {silence_ms}内]没有收到任何数据，我们发出的数据也[在 {unacked_ms}内]没有得到确认[（{unacked_bytes}）]\
             [；重传 {retransmits} 次]。"
        }
        Key::PathOneWay => {
            "我们的数据[在 {unacked_ms}内]不再到达编码器，而编码器的数据仍能到达[（重复的报文段 {segments} 个）]。"
        }
        Key::IcmpUnreachable => "网络报告编码器所在主机不可达[：{errno}]。",
        Key::SendFailed => "向编码器写数据失败[：{errno}]。",
        Key::Collapse => {
            "编码器的上行网络承载不了这路推流[：在 {window_ms}内比实时落后了 {drift_ms}][；接收往返时间 {rcv_rtt_ms}，\
             平时为 {baseline_ms}][；{trickle_percent}% 的时间里消息断断续续到达][；乱序报文段 {segments} 个][；视频中断了 {video_gone_ms}]。"
        }
        Key::LagLimit => "推流比实时落后太多[：{lag_ms}][；上限为 {limit_ms}]。",
        Key::TlsBroken => "TLS 数据无法读取[：{reason}]。",
        Key::PeerTimeout => "SRT 对端不再有任何数据[，已有 {silence_ms}]。",
        Key::ConsentLost => "WebRTC 对端不再应答[，已有 {silence_ms}]。",
        Key::PeerPortClosed => "编码器所在主机回复：其 UDP 端口已无程序监听。",

        // Silence and limits of media.
        Key::EncoderStalled => {
            "[在 {silence_ms}内]没有收到音视频，但程序应答了我们的 ping：编码已停滞[（时限 {limit_ms}）]。"
        }
        Key::EncoderFrozen => {
            "[在 {silence_ms}内]没有收到音视频；主机正常，但以前会应答 ping 的程序不再应答：程序已卡死[（时限 {limit_ms}）]。"
        }
        Key::HostAlive => {
            "[在 {silence_ms}内]没有收到音视频；编码器所在主机正常，但无法判断程序的状态[（时限 {limit_ms}）]。"
        }
        Key::DataWithoutMedia => "仍有数据到达，但[在 {silence_ms}内]其中没有音视频[（时限 {limit_ms}）]。",
        Key::UnplayedFor => "[在 {limit_ms}内]没有人播放这路流。",
        Key::FrameRate => "帧率过高[：每秒 {fps} 帧][（{window_ms}内）][；上限为每秒 {limit} 帧]。",

        // Before a push was live.
        Key::SetupLimit => "客户端在这一阶段耗时过长[（时限 {limit_ms}）]，服务器关闭了连接。",
        Key::WebrtcNoPath => {
            "[在 {limit_ms} 内]没有收到客户端对本服务器的任何路径检查：防火墙拦截了 UDP，或客户端无法到达告知的地址。"
        }
        Key::WebrtcNoDtls => {
            "客户端找到了到本服务器的路径[（{checks} 次检查）]，但[在发出 offer {after_ms} 后]DTLS 仍未完成。"
        }
        Key::WebrtcOffer => "无法应答该 offer[：{found}]。",
        Key::SetupClosed => "[连接 {after_ms}后，]客户端一侧结束了连接[（{close}）]。",
        Key::TlsLeft => {
            "[连接 {after_ms}后，]客户端在 TLS 握手期间离开[（{close}）]。此时它已收到服务器证书，可能不信任该证书。"
        }
        Key::TlsHandshakeFailed => "TLS 握手失败[：{reason}][（{version}）]。",
        Key::PlainOnTls => {
            "TLS 端口收到了未加密的 RTMP：此端口请用 rtmps:// 推流，或在 RTMP 端口用 rtmp:// 推流。"
        }

        // What the client sent.
        Key::Rule => {
            "违反了规则[：{rule}][；连接的第 {offset} 字节][，{path}][：{found}][（{class}）][；消息类型：{message_type}]\
             [，长度：{length}][，块流：{chunk_stream}]。"
        }
        Key::TlsOnPlain => {
            "普通 RTMP 端口收到了 TLS：此端口请用 rtmp:// 推流，或在 RTMPS 端口用 rtmps:// 推流。"
        }
        Key::MessageLimit => {
            "消息过大[：{size}][（类型：{message_type}）][；上限为 {limit}][；位于连接的第 {offset} 字节]。"
        }
        Key::MessageBudget => "尚未收完的消息占满了为它们共用的内存[；这条消息为 {size}][；上限为 {limit}]。",
        Key::AmfMarker => {
            "AMF 值以此处不允许的标记开头[：{marker}][；连接的第 {offset} 字节][，{path}][（{rule}）]。"
        }
        Key::SecondPublish => "在已有直播推流的连接上再次 publish[（正在直播：{live}）]。",

        // This server.
        Key::TaskPanic => "负责这路推流的任务出错[：{reason}]。",
        Key::DroppedUnclosed => "服务器没有走完结束流程就放弃了这路推流。",
        Key::OwnWindowClosed => {
            "服务器读取得不够快，接收窗口已关闭[，在结束前 {before_ms}][，持续 {closed_ms}]。"
        }
        Key::PipelinePart => "直播处理的一个环节出错[：{part}][：{reason}]。",
        Key::RecoveredAtStart => {
            "下次启动时，记录库中这路推流仍未结束[；启动时间 {recovered_at}][；最后一次看到是 {last_seen}]。"
        }
        Key::UpstreamOrder => "转发的目标服务器要求停止[：{address}][；其答复：{said}]。",
        Key::UpstreamRefused => "转发的目标服务器拒绝了推流[：{address}][；其答复：{said}][（{step}）]。",
        Key::UpstreamClosed => {
            "转发的目标服务器未作说明就结束了连接[：{address}][，方式：{close}][（{step}）]\
             [；此前推流已有 {silence_ms}没有媒体数据]。"
        }
        Key::UpstreamUnreachable => "无法连接转发的目标服务器[：{address}][：{reason}]。",
        Key::UpstreamSilent => "转发的目标服务器停止响应[：{address}][（{step}）][；时限为 {limit_ms}]。",
        Key::UpstreamBroken => "转发的目标服务器发来的数据不是 RTMP[：{address}][：{reason}]。",
        Key::Drain => "运维人员将该节点下线。",
        Key::CatalogError => "账号和域名目录不可用[：{reason}]。",
        Key::RegistryError => "流注册表[在 {waited_ms}内]没有给出有效的应答[：{reason}]。",
        Key::DiskFull => "记录库所在磁盘已满。",
        Key::StoreError => "记录库出错[：{reason}]。",
        Key::JournalSlow => "记录库未能及时确认写入[（时限 {limit_ms}）]。",
        Key::OverloadOf => "服务器达到了自身的上限[：{of}][，当前 {have}][；上限为 {limit}]。",
        Key::LeaseLost => "该节点对这路流的归属权已过期或被取走[：{reason}]。",

        // Refusals of admission.
        Key::AccountUnknown => "目录中没有该账号[：{account}][；域名 {domain} 将其登记为所有者]。",
        Key::AccountStopped => "账号已停用[：{account}]。",
        Key::AccountOverdue => "账号已欠费[：{account}]。",
        Key::AccountForceStopped => "账号已被强制停用[：{account}]。",
        Key::AddressInUrl => "推流地址中的主机是 IP 地址[：{ip}]。",
        Key::DomainUnknown => "目录中没有该域名[：{domain}]。",
        Key::DomainForPlaying => "该域名用于播放，不能推流[：{domain}]。",
        Key::DomainInvalid => "不是有效的域名[：{domain}]。",
        Key::DomainMissing => "推流地址中没有域名。",
        Key::DomainDisabled => "域名已被禁用[：{domain}]。",
        Key::AppDisabled => "应用名已被禁用[：{app}][，域名为 {domain}]。",
        Key::ForbiddenUntil => {
            "该流已被禁播[，直到 {until}][，自 {since} 起][，操作人：{who}][；原因：{reason}]。"
        }
        Key::ChannelMissing => "没有该频道[：{stream}]。",
        Key::ChannelStopped => "频道已停止[：{stream}]。",
        Key::StreamNameIllegal => "流名不合规[：{fault}][，{bytes}][，“{found}”][，第 {position} 个字符]。",
        Key::AppNameIllegal => "应用名不合规[：{fault}][，{bytes}][，“{found}”][，第 {position} 个字符]。",
        Key::IpBlocked => "该 IP 地址在黑名单中[：{ip}][，命中条目 {network}]。",
        Key::IpNotListed => "该 IP 地址不在白名单中[：{ip}][；名单共 {networks} 条]。",
        Key::TimeMissing => "推流地址中没有 txTime。",
        Key::TimeMalformed => "txTime 不是恰好 8 位十六进制数[：“{found}”]。",
        Key::ExpiredAt => {
            "推流地址已过期[，有效期至 {at}][。该流的上一次推流在有效期内开始，已于 {ended_ms}前以 {last_code} 结束，重连原因请查看那条记录][。在有效期内于 \
             {live_since} 开始的推流仍在进行]。"
        }
        Key::SecretMissing => "推流地址中没有 txSecret。",
        Key::SecretWithoutKey => "该域名要求签名，但没有设置可供校验的密钥。",
        Key::SecretLength => {
            "txSecret 的长度不是签名应有的长度[：{length} 个字符]；应为 32 个（MD5）或 64 个（SHA-256）。"
        }
        Key::SecretUpperCase => "txSecret 改为小写字母即正确。",
        Key::SecretForPath => "txSecret 是对应用名加流名签名的；请只对流名签名。",
        Key::SecretForTimeCase => "txSecret 是对大小写不同的 txTime 签名的；请按实际发送的 txTime 签名。",
        Key::SecretMismatch => "对这个流名和 txTime 来说，txSecret 与该域名的主备密钥都不相符。",

        // Limits, other pushes of the stream, hook, and people.
        Key::LimitOf => "推流数已达上限[（范围：{scope}）][：当前 {have} 路][；允许 {limit} 路]。",
        Key::AlreadyLive => "这路流已在直播[，来自 {address}][，推流 ID {push}][，已持续 {live_ms}]。",
        Key::Duel => {
            "两个来源在互相抢占这路流[：{window_ms}内交替 {takeovers} 次][；保留 {live}][，推流 ID {push}][，拒绝 {refused}]。"
        }
        Key::PriorityBelow => "优先级太低[：{priority}][；正在直播的为 {live_priority}][，推流 ID {push}]。",
        Key::CutWhileLive => "直播期间规则有变更，推流因此被断开。",
        Key::HookStatus => "鉴权服务拒绝了推流[：HTTP 状态码 {status}][：{reason}]。",
        Key::HookTimeout => "鉴权服务没有及时应答[（时限 {limit_ms}）]。",
        Key::HookUnreachable => "无法连接鉴权服务，或无法读取它的应答[：{reason}]。",
        Key::ReplacedBy => {
            "被新的推流取代[，来自 {address}][，推流 ID {push}][；这路推流已有 {silence_ms}没有发送音视频]。"
        }
        Key::ReplacedOf => "这路推流取代了另一路推流[，来自 {address}][，推流 ID {push}]。",
        Key::OrderedBy => "有人要求这样做[：{who}][，通过{via}][；原因：{reason}]。",
        Key::ImportedFrom => "该记录是[从 {source} ]导入的。",
        Key::RowError => "记录库中这路推流的数据行无法读取[：{reason}]。",
        Key::Unexplained => "没有规则能解释这次结束[；观察到：{close}][，阶段：{stage}][，{errno}]。",

        // Findings: signs for or against a cause.
        Key::GoodbyeReceived => "收到了结束命令[：{command}]。",
        Key::NoGoodbye => "没有收到结束命令。",
        Key::CloseAfterGoodbye => "结束命令之后发生的情况不算作原因[：{close}]。",
        Key::OwnActFirst => "服务器先有动作，客户端随后的行为是对它的反应[：{close}]。",
        Key::SocketEnded => "连接已结束[：{close}][：{errno}]。",
        Key::StageReached => "推流所处的阶段已知[：{stage}]。",
        Key::LastCommand => "收到过最后一条命令[：{command}][，在结束前 {before_ms}]。",
        Key::MediaUntilEnd => "音视频一直持续到结束[；最后一次收到是在结束前 {last_ms}]。",
        Key::NoMediaFor => "结束之前[有 {silence_ms}]没有收到音视频。",
        Key::SilenceBefore => "结束之前[有 {silence_ms}]没有收到任何数据。",
        Key::NoSilence => "结束之前没有沉默期[；最后一次收到数据是在结束前 {silence_ms}]。",
        Key::ProbeUnacknowledged => "我们的探测[在 {probe_ms}内]一直没有得到确认[；重传 {retransmits} 次]。",
        Key::ProbeAcknowledged => "编码器所在主机确认收到了我们的探测[（在结束前 {probe_ms}发出）]。",
        Key::ProbeAnswered => "编码器程序应答了我们的 ping[（在结束前 {probe_ms}发出）]。",
        Key::ClientHabit => "这是[ {client} ]的习惯[：{habit}]。",
        Key::NeverAnsweredPing => "该程序从未应答过 ping，因此没有应答并不能说明什么。",
        Key::RttRisen => "接收往返时间升高[到 {rcv_rtt_ms}][，平时为 {baseline_ms}]。",
        Key::RttFlat => "接收往返时间与平时一样[：{rcv_rtt_ms}][，基准为 {baseline_ms}]。",
        Key::DriftGrew => "推流落后于实时[：{window_ms}内落后 {drift_ms}]。",
        Key::DriftSteady => "推流跟得上实时[；{window_ms}内变化 {drift_ms}]。",
        Key::OutOfOrder => "出现了像丢包之后那样的乱序报文段[：{window_ms}内 {segments} 个]。",
        Key::VideoGone => "音频仍在继续，视频却中断了[ {video_gone_ms}]。",
        Key::EncoderSlow => {
            "网络平稳，编码器却落后于实时：编码器过载[；每秒 {fps} 帧][；{window_ms}内落后 {drift_ms}]。"
        }
        Key::WriteFailed => "向编码器写数据也失败过[：{errno}]。",
        Key::PathSuspectBefore => "此前网络路径曾经沉默，后来又恢复[；共 {times} 次]。",
        Key::CloseNotify => "TLS 以关闭通知结束：程序自行关闭了连接。",
        Key::NoCloseNotify => "TLS 结束时没有发送关闭通知。",
        Key::BytesProve => "收到的数据本身就是证据[，位于连接的第 {offset} 字节]。",

        // Findings: what else happened, what cannot be told from here, and what makes the signs weaker.
        Key::EventsSeen => "直播期间出现过异常事件[：{event}][，{times} 次][，最后一次在结束前 {last_ms}]。",
        Key::BehindAtEnd => "结束时推流已明显落后于实时[：{lag_ms}]。",
        Key::UntoldPersonOrScript => {
            "是有人手动停止，还是脚本、定时或文件播完所致，服务器无法判断；编码器的日志可以说明。"
        }
        Key::UntoldCloser => {
            "是程序退出、崩溃、被强行结束，还是代理或防火墙代为关闭了连接，服务器无法判断；编码器的日志或在编码器一侧抓包可以说明。"
        }
        Key::UntoldResetSender => {
            "在 Windows 上，程序崩溃或被结束时通常会重置连接，途中的设备也会如此；编码器主机的系统日志或在编码器一侧抓包可以说明。"
        }
        Key::UntoldStopInCongestion => {
            "是网络导致结束，还是拥塞期间有人停止或程序被强行结束，服务器无法判断；编码器的日志或退出状态可以说明。"
        }
        Key::UntoldFrozenOrSource => {
            "是程序卡死，还是没有数据可发且不应答 ping，服务器无法判断；编码器主机上该程序的状态可以说明。"
        }
        Key::UntoldSource => {
            "编码器为何不再发送音视频（摄像头或文件结束，还是有人暂停），服务器无法判断；编码器的日志可以说明。"
        }
        Key::UntoldWherePathBroke => {
            "是编码器主机断电、其链路中断，还是途中网络故障，服务器无法判断；该主机的运行时长和链路日志可以说明。"
        }
        Key::UntoldRouter => {
            "是路由器重启、表项溢出，还是清除了空闲连接，服务器无法判断；编码器一侧路由器的日志或运行时长可以说明。"
        }
        Key::UntoldOwnLoad => {
            "本服务器为何没有读取数据，从记录中无法判断；本机当时的 CPU、内存和磁盘负载可以说明。"
        }
        Key::UntoldNodeEnd => {
            "是本程序崩溃、被强行结束，还是机器宕机，从记录库中无法判断；该机器的内核日志和服务日志可以说明。"
        }
        Key::UntoldWhoLeft => {
            "是放弃连接的编码器，还是健康检查或扫描，服务器无法判断；该地址的归属或客户端日志可以说明。"
        }
        Key::UntoldSameEncoder => {
            "新的推流是同一编码器重连还是另一个编码器，无法确定；新推流记录中的地址和编码器可以说明。"
        }
        Key::UntoldWhoBroke => {
            "这些数据是编码器发出的，还是被途中的设备改动过，服务器无法判断；在编码器一侧抓包可以说明。"
        }
        // Health.
        Key::HealthTooShort => "推流时间太短，无法评估[：{live_ms}][，至少需要 {needed_ms}]。",
        Key::HealthCodecs => "编码格式[：{video}][，{audio}]。",
        Key::HealthUncommonCodec => "许多播放器无法播放这些编码[：{video}][，{audio}]。",
        Key::HealthNoVideo => "没有收到画面[（声音：{audio}）]。",
        Key::HealthNoAudio => "没有收到声音[（画面：{video}）]。",
        Key::HealthBitrate => "平均码率[：{kbps} kbit/s][（编码器声明 {expected_kbps} kbit/s）]。",
        Key::HealthSteadiness => {
            "码率稳定性[：最低的 5 秒为 {least_kbps} kbit/s][，平时为 {usual_kbps} kbit/s]。"
        }
        Key::HealthFrameRate => "视频帧率[：每秒 {fps} 帧][（应为 {expected_fps} 帧）]。",
        Key::HealthKeyFrames => "关键帧间隔[：平均 {mean_ms}][，最短 {shortest_ms}][，最长 {longest_ms}]。",
        Key::HealthOneKeyFrame => "[{live_ms}内]只有一个关键帧：中途加入的观众在下一个关键帧之前看不到画面。",
        Key::HealthOffset => "音画偏差[：最大 {widest_ms}][，变化 {drift_ms}]。",
        Key::HealthLag => "落后实时[：最多 {worst_ms}]。",
        Key::HealthTimestamps => "时间戳跳变或回退[ {times} 次]。",
        Key::HealthGaps => "声音或画面中断[ {times} 次]。",
        Key::HealthBroken => "有无法解析的数据[（{times} 次）]。",
        Key::HealthPath => "网络路径[：往返时间 {rtt_ms}][，丢包或乱序 {lost_percent} %]。",

        Key::StopLooksSame => "网络拥塞时有人手动停止，或程序被强行结束，在服务器看来都是一样的。",
        Key::ResetSenderUnknown => "重置由编码器还是途中的设备发出，在服务器这里无法区分。",
        Key::BehindProxy => "连接经过了负载均衡：TCP 信息描述的是到负载均衡的一段，而不是到编码器的。",
        Key::NoTcpFacts => "没有读到该连接的 TCP 信息。",
        Key::Other(_) => return None,
    })
}
