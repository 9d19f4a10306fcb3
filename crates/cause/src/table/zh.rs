//! The table in Chinese.

use super::{Cause, Text};

const UNKNOWN: &str = "原因未知";
const CLIENT_CLOSED: &str = "推流端主动断流";
const INTERNAL: &str = "直播系统内部错误";
const RTMP_CONTENT: &str = "RTMP 协议内容异常";
const NO_DATA: &str = "推流长时间没有数据，被系统断开";
const NETWORK: &str = "推流连接的网络异常";

pub(super) const fn text(cause: Cause) -> Text {
    match cause {
        Cause::Unknown => Text {
            errmsg: UNKNOWN,
            meaning: "推流已结束，但观察到的情况不符合任何已知原因。",
            advice: "请保留这条记录，并附上证据反馈：没有原因的断流属于服务器缺陷。",
        },
        Cause::DeleteStream => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "编码器发送了 deleteStream，按正常流程结束了推流。",
            advice: "如果是主动停止，无需处理；如果不是，请在编码器日志中查看是谁或什么触发了停止。",
        },
        Cause::CloseStream => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "编码器用 closeStream 结束了推流，或用 FCUnpublish 交回了流名。",
            advice: "如果是主动停止，无需处理；应用切换直播或退到后台时也会这样结束。",
        },
        Cause::EndOfFile => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "编码器一侧关闭了连接，没有发送正常停止时应有的结束命令。",
            advice: "请检查编码器是否崩溃或被系统结束；如果断在一条消息中间，多半就是这种情况。",
        },
        Cause::Reset => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "连接被编码器一侧重置，没有收到结束命令。",
            advice: "请检查编码器是否崩溃或被强行结束，在 Windows 上这通常表现为重置；如果它一直在运行，\
                     请检查途中的防火墙等设备，它们也会发送重置。",
        },
        Cause::TaskFailed => Text {
            errmsg: INTERNAL,
            meaning: "服务器中负责这路推流的处理任务出错。",
            advice: "请重新推流，并反馈这条记录：这是服务器缺陷。",
        },
        Cause::ProtocolBroken => Text {
            errmsg: RTMP_CONTENT,
            meaning: "客户端发来的数据不符合 RTMP 协议，无法继续读取。",
            advice: "详情中有违反的规则和字节位置；请确认连接到该端口的是 RTMP 编码器，而不是其他程序。",
        },
        Cause::MessageTooLarge => Text {
            errmsg: "单个 RTMP 帧的大小超过配置允许的最大值",
            meaning: "有一条 RTMP 消息超过了服务器允许的大小。",
            advice: "请降低码率或缩短关键帧间隔；推 4K 及以上画面时，请调高消息大小上限。",
        },
        Cause::NeverSentMedia => Text {
            errmsg: NO_DATA,
            meaning: "推流已经开始，但在空闲时限内没有发送过任何音频或视频。",
            advice: "请检查编码器的输入：连接已建立，但没有画面或声音来源。",
        },
        Cause::NodeStopped => Text {
            errmsg: INTERNAL,
            meaning: "推流期间，这台服务器被正常停止。",
            advice: "请在服务器恢复后重新推流；重启尽量安排在没有直播的时段。",
        },
        Cause::ProxyToldToStop => Text {
            errmsg: "代理层收到断流命令",
            meaning: "这台服务器正在转发该推流，并收到了停止转发的命令。",
            advice: "重新推流会被引到其他服务器；原因请查看转发的目标服务器，或询问将节点下线的人员。",
        },
        Cause::NodeDied => Text {
            errmsg: INTERNAL,
            meaning: "推流期间，这台服务器意外终止；记录在下次启动时补全。",
            advice: "请重新推流，并在系统日志中查看当时是否有崩溃、内存不足或断电。",
        },
        Cause::PathLost => Text {
            errmsg: NETWORK,
            meaning: "到编码器的网络路径中断：没有收到任何数据，我们发出的数据也一直没有得到确认。",
            advice: "请检查当时编码器的上行网络：网线、Wi-Fi、移动信号或路由器；如果多路推流同时中断，\
                     应检查共同的运营商或服务器自身的网络。",
        },
        Cause::Unreachable => Text {
            errmsg: NETWORK,
            meaning: "网络报告编码器所在主机已不可达。",
            advice: "请检查编码器是否失去了 IP 地址或网络，以及途中的路由和防火墙。",
        },
        Cause::SendFailed => Text {
            errmsg: NETWORK,
            meaning: "向编码器发送数据失败，而收到的数据中看不出原因。",
            advice: "请检查当时编码器的网络；如果反复出现，请查找途中会切断连接的设备。",
        },
        Cause::UplinkCollapsed => Text {
            errmsg: NETWORK,
            meaning: "编码器的上行网络已承载不了这路推流，随后连接关闭。",
            advice: "请降低码率或改用更好的网络；网络拥塞时有人手动停止，在服务器看来也是一样的。",
        },
        Cause::LagLimit => Text {
            errmsg: NETWORK,
            meaning: "推流落后于实时的时间超过了上限，因此被断开。",
            advice: "请降低码率或编码器负载，或调高延迟上限。",
        },
        Cause::TransportLost => Text {
            errmsg: NETWORK,
            meaning: "加密或 UDP 传输中断：TLS 数据损坏，或 SRT、WebRTC 对端不再响应。",
            advice: "请检查编码器的上行网络，以及防火墙是否让 UDP 或 TLS 流量原样通过。",
        },
        Cause::CatalogUnavailable => Text {
            errmsg: INTERNAL,
            meaning: "服务器没有可用的账号和域名目录，无法接受推流。",
            advice: "请在服务器日志中查看目录为何无法加载；编码器可以重试。",
        },
        Cause::RegistryUnreachable => Text {
            errmsg: INTERNAL,
            meaning: "无法连接集群的流注册表，因此不能接受推流。",
            advice: "请检查节点之间的网络和注册表的状态；编码器可以重试。",
        },
        Cause::RegistryConflict => Text {
            errmsg: INTERNAL,
            meaning: "另一个节点仍占有同一路流，冲突未能及时解决。",
            advice: "请过几秒重试；如果一直如此，请检查两个节点对流的归属是否不一致。",
        },
        Cause::JournalUnwritable => Text {
            errmsg: INTERNAL,
            meaning: "服务器无法写入记录库，不接受无法记录的推流。",
            advice: "请清理数据盘空间并检查磁盘错误；在此期间，正在进行的推流不受影响。",
        },
        Cause::Overload => Text {
            errmsg: INTERNAL,
            meaning: "服务器已达到自身的某项上限，或正在下线，不再接受新的推流。",
            advice: "详情中有具体是哪项上限：请扩容、分散推流，或调高上限。若是下线，编码器再次连接时会到达另一台服务器。",
        },
        Cause::AccountUnknown => Text {
            errmsg: "获取推流地址对应的客户信息失败",
            meaning: "目录中没有推流域名所属的账号。",
            advice: "请创建该账号，或把域名分配给已有账号。",
        },
        Cause::AccountStopped => Text {
            errmsg: "您的直播服务已停止",
            meaning: "推流域名所属的账号已停用。",
            advice: "请重新启用该账号的服务，然后再推流。",
        },
        Cause::AccountOverdue => Text {
            errmsg: "您的直播服务因账号欠费已暂停，请尽快充值",
            meaning: "推流域名所属的账号已欠费。",
            advice: "请结清欠费并恢复账号，然后再推流。",
        },
        Cause::AccountForceStopped => Text {
            errmsg: "您的直播服务已被强制停止",
            meaning: "推流域名所属的账号已被服务器的运维人员强制停用。",
            advice: "请向服务器的运维人员询问原因，只有他们可以解除。",
        },
        Cause::PushByIp => Text {
            errmsg: "不允许直接使用 IP 地址推流",
            meaning: "推流地址中的主机是 IP 地址，而这台服务器没有设置默认域名。",
            advice: "请在推流地址中使用推流域名，或在服务器上设置默认域名。",
        },
        Cause::DomainUnknown => Text {
            errmsg: "推流域名无法识别",
            meaning: "推流地址中的域名不是这台服务器的推流域名。",
            advice: "请检查地址是否有误，或将该域名添加为推流域名。",
        },
        Cause::DomainInvalid => Text {
            errmsg: "推流域名不合法",
            meaning: "推流地址中没有域名，或不是有效的域名。",
            advice: "请改正推流地址，格式为 rtmp://域名/应用名/流名。",
        },
        Cause::DomainDisabled => Text {
            errmsg: "推流域名已被禁用",
            meaning: "推流域名已登记，但处于禁用状态。",
            advice: "请启用该域名，或改用其他域名推流。",
        },
        Cause::AppDisabled => Text {
            errmsg: "推流应用名已被禁用",
            meaning: "推流地址中的应用名在该域名下已被禁用。",
            advice: "请启用该应用名，或改正推流地址的路径。",
        },
        Cause::StreamForbidden => Text {
            errmsg: "推流的流名处于禁播状态",
            meaning: "运维人员已禁播该流，直到恢复时间为止。",
            advice: "请等到恢复时间，或请人解除禁播。",
        },
        Cause::ChannelMissing => Text {
            errmsg: "接入模式为频道模式，但没有创建对应的推流频道",
            meaning: "该域名为频道模式，没有与此流名对应的频道。",
            advice: "请先创建频道，或改正推流地址中的流名。",
        },
        Cause::ChannelStopped => Text {
            errmsg: "接入模式为频道模式，但推流频道已停止",
            meaning: "该域名为频道模式，与此流名对应的频道已停止。",
            advice: "请启动该频道，然后再推流。",
        },
        Cause::StreamNameIllegal => Text {
            errmsg: "推流的流名中有非法字符",
            meaning: "流名中有不允许的字符，或流名为空或过长。",
            advice: "请只使用字母、数字以及“-”“_”等少数符号；详情中有具体问题。",
        },
        Cause::AppNameIllegal => Text {
            errmsg: "推流的应用名中有非法字符",
            meaning: "推流地址的应用名中有不允许的字符，或应用名为空或过长。",
            advice: "请改正推流地址的路径；详情中有具体问题。",
        },
        Cause::IpBlocked => Text {
            errmsg: "推流端 IP 在黑名单中",
            meaning: "推流来源的 IP 地址在该域名的黑名单范围内。",
            advice: "如果允许该来源推流，请把这个地址或网段移出黑名单。",
        },
        Cause::IpNotAllowed => Text {
            errmsg: "推流端 IP 不在白名单中",
            meaning: "该域名设有白名单，推流来源的 IP 地址不在其中。",
            advice: "请把这个地址或网段加入白名单；如果经过负载均衡，请检查 PROXY 协议的设置。",
        },
        Cause::ExpiryMissing => Text {
            errmsg: "推流缺少过期时间参数",
            meaning: "推流地址中没有 txTime，或其值不是恰好 8 位十六进制数。",
            advice: "请把完整的签名地址（包括问号之后的全部内容）复制到编码器中。",
        },
        Cause::Expired => Text {
            errmsg: "推流的时间戳参数已过期",
            meaning: "推流地址的有效期已过。",
            advice: "请用更晚的时间重新生成地址；如果本应有效，请检查签名主机的时钟。",
        },
        Cause::SignatureMissing => Text {
            errmsg: "推流缺少鉴权参数",
            meaning: "该域名要求签名，但推流地址中没有 txSecret。",
            advice: "请把完整的签名地址（包括问号之后的全部内容）复制到编码器中。",
        },
        Cause::SignatureWrong => Text {
            errmsg: "鉴权参数校验未通过",
            meaning: "对这个流名和时间来说，推流地址中的 txSecret 与该域名的主备密钥都不相符。",
            advice: "请用该域名当前的密钥重新签名；签名用的流名和 txTime 必须与发送的完全一致。",
        },
        Cause::TooManyPushes => Text {
            errmsg: "当前推流数超过配置允许的最大值",
            meaning: "账号或域名的推流数已达到上限。",
            advice: "请结束不再需要的推流，或调高上限。",
        },
        Cause::TooManyPushesOfStream => Text {
            errmsg: "当前流名的推流数超过配置允许的最大值",
            meaning: "这路流的推流数已达到上限，并保留先到的推流。",
            advice: "请找出正在推同一路流的另一台编码器，或换一个流名。",
        },
        Cause::PriorityLower => Text {
            errmsg: "推流的优先级参数低于已有推流",
            meaning: "正在以该流名推流的一方优先级更高。",
            advice: "如果要由这路推流接替，请在推流地址中调高优先级。",
        },
        Cause::HookRefused => Text {
            errmsg: "第三方鉴权失败",
            meaning: "第三方鉴权服务拒绝了推流，或没有给出有效的回答。",
            advice: "请查看鉴权服务的日志；得不到它的回答时，所有推流都会被拒绝。",
        },
        Cause::MediaStopped => Text {
            errmsg: NO_DATA,
            meaning: "推流曾发送过音视频，之后虽然连接正常，但超过空闲时限没有再发送。",
            advice: "请检查编码器：可能是输入中断，也可能是程序卡死；已知的情况见详情。",
        },
        Cause::Dropped => Text {
            errmsg: "收到客户发起的断流请求",
            meaning: "运维人员通过 API 或控制台断开了这路直播。",
            advice: "请确认是谁断开的；编码器可以立即重新推流。",
        },
        Cause::Forbidden => Text {
            errmsg: "收到客户发起的禁播请求",
            meaning: "运维人员通过 API 或控制台禁播了这路正在直播的流。",
            advice: "请确认是谁禁播的；在恢复时间之前，新的推流会被拒绝。",
        },
        Cause::TakenOver => Text {
            errmsg: "收到新的推流，已替换当前推流",
            meaning: "同一路流的新推流取代了这路推流。",
            advice: "编码器重连时会这样；如果两台编码器使用同一个地址，请分别使用不同的流名。",
        },
        Cause::TakenOverEmpty => Text {
            errmsg: "收到新的推流，已替换当前没有数据的推流",
            meaning: "这路推流没有在发送音视频，被同一路流的新推流取代。",
            advice: "多半是编码器断线后重连；如果频繁出现，请检查其上行网络。",
        },
        Cause::LeftBeforeFirstByte => Text {
            errmsg: UNKNOWN,
            meaning: "客户端建立了连接，但直到连接结束都没有发送任何数据。",
            advice: "多半是端口探测或扫描；如果是编码器，请检查途中的防火墙和代理。",
        },
        Cause::MediaBroken => Text {
            errmsg: RTMP_CONTENT,
            meaning: "音频或视频数据本身无法解析，严格模式下会断开这样的推流。",
            advice: "请更新编码器或调整其设置；详情中有损坏之处。",
        },
        Cause::PipelineFailed => Text {
            errmsg: INTERNAL,
            meaning: "服务器无法继续处理这路流，或读取得不够快。",
            advice: "请检查当时服务器的负载，并反馈这条记录：问题不在编码器。",
        },
        Cause::LeftInRtmpHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "客户端在 RTMP 握手期间离开或超时。",
            advice: "请检查网络是否缓慢或被过滤；扫描程序也会这样结束。",
        },
        Cause::LeftBeforeConnect => Text {
            errmsg: UNKNOWN,
            meaning: "客户端在握手之后、发送 connect 之前离开或超时。",
            advice: "请确认对方是 RTMP 编码器，且途中没有设备过滤 RTMP。",
        },
        Cause::LeftAfterConnect => Text {
            errmsg: UNKNOWN,
            meaning: "客户端在 connect 之后、创建流之前离开或超时。",
            advice: "请查看编码器日志：可能是不接受 connect 的应答，也可能是被手动停止。",
        },
        Cause::LeftBeforePublish => Text {
            errmsg: UNKNOWN,
            meaning: "客户端创建了流，但在 publish 被接受之前离开或超时。",
            advice: "请查看编码器日志；多半是被手动停止，或没有填写流名。",
        },
        Cause::LeftInTlsHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "客户端在 TLS 握手期间离开或超时。",
            advice: "请确认编码器在该端口使用 rtmps://，并信任服务器的证书。",
        },
        Cause::LeftInSrtHandshake => Text {
            errmsg: UNKNOWN,
            meaning: "客户端在 SRT 握手期间离开或超时。",
            advice: "请检查密码和 streamid，并确认 UDP 双向畅通。",
        },
        Cause::LeftInWebrtcSetup => Text {
            errmsg: UNKNOWN,
            meaning: "客户端在建立 WebRTC 连接期间离开或超时。",
            advice: "请确认 UDP（至少 TCP）能到达服务器的 WebRTC 端口，并已配置公网地址。",
        },
        Cause::LeftInAuthHook => Text {
            errmsg: UNKNOWN,
            meaning: "第三方鉴权服务尚未作出决定，客户端就离开了。",
            advice: "请检查鉴权服务的应答时间：编码器不会一直等待。",
        },
        Cause::AmfBroken => Text {
            errmsg: "RTMP AMF 数据异常",
            meaning: "客户端命令的 AMF 编码已损坏，无法读取。",
            advice: "请更新编码器或其 RTMP 库；详情中有类型标记和字节位置。",
        },
        Cause::Imported => Text {
            errmsg: UNKNOWN,
            meaning: "这条记录从其他系统导入，对方没有给出已知的原因。",
            advice: "请在记录的来源系统中查找原因。",
        },
        Cause::TransportGoodbye => Text {
            errmsg: CLIENT_CLOSED,
            meaning: "编码器按 SRT 或 WHIP 的正常流程结束了推流。",
            advice: "如果是主动停止，无需处理；如果不是，请在编码器日志中查看是谁或什么触发了停止。",
        },
        Cause::RowUnreadable => Text {
            errmsg: UNKNOWN,
            meaning: "记录库中这路推流的内容无法读取，因此不知道它如何结束。",
            advice: "请检查数据盘和文件系统是否有错误。",
        },
        Cause::Unplayed => Text {
            errmsg: "无人播放的流被断开",
            meaning: "在服务器允许的时间内，没有人播放这路流。",
            advice: "请在有观众时推流，或关闭无人播放的限制。",
        },
        Cause::OwnershipLost => Text {
            errmsg: INTERNAL,
            meaning: "该节点在集群中失去了这路流的归属权，因此结束了推流。",
            advice: "请重新推流，并检查当时节点之间的网络和负载。",
        },
        Cause::FrameRateLimit => Text {
            errmsg: "推流帧率超过系统允许的最大值",
            meaning: "推流每秒的帧数超过了这台服务器的上限。",
            advice: "请在编码器中降低帧率，或调高上限。",
        },
    }
}
