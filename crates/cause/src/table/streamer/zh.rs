//! Chinese.

use super::Cause;

const AGAIN: &str = "请直接重新开播，您这边不需要修改任何设置。";
const LATER: &str = "请等一分钟后重新开播。如果再次出现，请告知服务的运营人员。";
const NEW_ADDRESS: &str = "请向提供方重新获取推流地址和密钥，并重新粘贴。";
const ASK: &str = "请联系服务的运营人员，您的软件里无法修复。";
const LINE: &str = "请改用网线，把码率降低约三成，并停止其他上传。";
const PROGRAM: &str = "请查看直播软件是否还在运行，更新到最新版本后重新开播。";

/// What happened, and what to try now.
pub(super) const fn words(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::Unknown => ("直播结束了，目前还不清楚原因。", LATER),
        Cause::DeleteStream | Cause::TransportGoodbye => {
            ("您的直播软件正常结束了直播。", "没有问题。如果不是您停止的，请查看是否有定时器或其他人操作。")
        }
        Cause::CloseStream => {
            ("您的直播软件关闭了直播。", "如果不是有意的：在手机上请让应用保持在前台，并保持屏幕常亮。")
        }
        Cause::EndOfFile => (
            "您的直播软件没有告知停止就离开了。",
            "软件可能崩溃了，或被系统结束。请重新启动它，并关闭其他占用资源的程序。",
        ),
        Cause::Reset => {
            ("您这一侧的连接突然中断了。", "请查看软件是否崩溃。如果一直在运行，请重启路由器，或换一个网络。")
        }
        Cause::TaskFailed | Cause::PipelineFailed => ("我们这一侧发生了故障。", AGAIN),
        Cause::ProtocolBroken | Cause::AmfBroken => {
            ("无法识别您的软件发来的数据。", "请确认推流地址填在直播软件里，并更新该软件。")
        }
        Cause::MessageTooLarge => {
            ("有一帧画面超过了本服务允许的大小。", "请降低码率或分辨率，并把关键帧间隔设为 2 秒。")
        }
        Cause::NeverSentMedia => (
            "您的软件已连接，但没有发来画面和声音。",
            "请确认软件中已选择摄像头和麦克风并有画面，然后重新开播。",
        ),
        Cause::NodeStopped => ("我们的服务器因维护而重启。", AGAIN),
        Cause::ProxyToldToStop => ("接收您直播的服务要求结束它。", LATER),
        Cause::NodeDied => ("我们的服务器发生故障并已重新启动。", AGAIN),
        Cause::PathLost | Cause::Unreachable | Cause::SendFailed => {
            ("您的网络连接中断了。", "请查看其他网站能否打开。请重启路由器，尽量用网线，然后重新开播。")
        }
        Cause::UplinkCollapsed => ("您的网络速度不足以支撑直播，随后断开了。", LINE),
        Cause::LagLimit => ("您的网络速度不足，直播落后太多。", LINE),
        Cause::TransportLost => {
            ("您与我们之间的连接丢失了。", "请重新开播。如果经常发生，请换一个网络或改用网线。")
        }
        Cause::CatalogUnavailable
        | Cause::RegistryUnreachable
        | Cause::RegistryConflict
        | Cause::JournalUnwritable
        | Cause::Overload
        | Cause::OwnershipLost => ("当时我们的服务无法接收您的直播。", LATER),
        Cause::AccountUnknown | Cause::AccountStopped | Cause::AccountForceStopped => {
            ("这个推流地址所属的账号未处于可用状态。", ASK)
        }
        Cause::AccountOverdue => {
            ("这个推流地址所属的账号有未付的费用。", "请让负责付费的人结清费用，然后重新开播。")
        }
        Cause::PushByIp | Cause::DomainUnknown | Cause::DomainInvalid => {
            ("软件里的推流地址不是本服务的地址。", NEW_ADDRESS)
        }
        Cause::DomainDisabled | Cause::AppDisabled => ("这个推流地址目前已停用。", ASK),
        Cause::StreamForbidden => ("这路直播目前不被允许。", ASK),
        Cause::ChannelMissing => ("没有这个名称的频道。", NEW_ADDRESS),
        Cause::ChannelStopped => ("这个频道目前已停止。", ASK),
        Cause::StreamNameIllegal => {
            ("推流密钥中有不允许的字符，或者太长。", "请重新复制推流密钥，前后不要带空格。")
        }
        Cause::AppNameIllegal => {
            ("推流地址中有不允许的字符，或者太长。", "请重新复制推流地址，前后不要带空格。")
        }
        Cause::IpBlocked => ("不允许从您的网络直播。", ASK),
        Cause::IpNotAllowed => {
            ("只允许从指定的网络直播，而您的网络不在其中。", "请在约定的地点直播，或请求加入您的网络。")
        }
        Cause::ExpiryMissing | Cause::SignatureMissing => {
            ("推流密钥的末尾不完整。", "请重新复制完整的推流密钥，包括问号后面的全部内容。")
        }
        Cause::Expired => {
            ("推流地址只在一段时间内有效，现在已过期。", "请获取新的推流地址和密钥，旧的不能再用。")
        }
        Cause::SignatureWrong => {
            ("推流密钥不正确。", "请重新复制完整的推流密钥。如果仍被拒绝，请获取新的密钥。")
        }
        Cause::TooManyPushes => ("这个账号同时直播的数量已达上限。", "请先结束另一路直播，或申请提高上限。"),
        Cause::TooManyPushesOfStream | Cause::PriorityLower => {
            ("已经有人在用这个推流密钥直播。", "请先结束另一台设备上的直播。如果不是您本人，请申请新的密钥。")
        }
        Cause::HookRefused => {
            ("服务没有允许这路直播。", "请确认您已登录并且可以直播，然后获取新的推流密钥。")
        }
        Cause::MediaStopped => (
            "软件仍保持连接，但画面和声音不再传来。",
            "软件可能卡住了，或摄像头被拔出。请重启软件后重新开播。",
        ),
        Cause::Dropped => ("服务的运营人员结束了这路直播。", "您可以重新开播。如果不清楚原因，请询问他们。"),
        Cause::Forbidden => ("服务的运营人员结束了这路直播，并暂时禁止它。", ASK),
        Cause::TakenOver => (
            "同一个推流密钥在另一台设备上开播，现在由它直播。",
            "密钥请只在一台设备上使用。如果另一台不是您的，请申请新的密钥。",
        ),
        Cause::TakenOverEmpty => (
            "您的直播已不再发送数据，同一密钥的新直播代替了它。",
            "如果是您自己重新开播，一切正常；否则请申请新的密钥。",
        ),
        Cause::MediaBroken => ("传来的画面或声音已损坏，无法显示。", PROGRAM),
        Cause::LeftBeforeFirstByte
        | Cause::LeftInRtmpHandshake
        | Cause::LeftBeforeConnect
        | Cause::LeftAfterConnect
        | Cause::LeftBeforePublish
        | Cause::LeftInTlsHandshake
        | Cause::LeftInSrtHandshake
        | Cause::LeftInWebrtcSetup => {
            ("直播开始之前，连接就结束了。", "请重新开播。如果一直无法继续，请换一个网络，可能有防火墙阻挡。")
        }
        Cause::LeftInAuthHook => ("在确认您能否直播时，连接就结束了。", "请重新开播，并等待大约十秒。"),
        Cause::Imported => ("直播在另一个系统上结束，该系统没有说明原因。", ASK),
        Cause::RowUnreadable => ("直播结束了，但相关记录已损坏。", LATER),
        Cause::Unplayed => ("长时间没有人观看，因此直播被结束。", "请在有人观看时重新开播。"),
        Cause::FrameRateLimit => {
            ("您的软件每秒发送的画面数超过了本服务的上限。", "请把软件的帧率设为 30 或 60，然后重新开播。")
        }
    }
}
