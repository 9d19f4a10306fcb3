//! Video messages. What the comments abbreviate stands in the module above.
#![allow(dead_code)]

/// ffmpeg 5: `-f lavfi -i testsrc2=size=1920x1080:rate=30 -frames:v 3 -pix_fmt yuv420p -c:v libx264 -preset medium`
pub const AVC_1080: &str = "170000000001640028ffe1001b67640028acd940780227e5c044000003000400000300f03c60c65801000668ebe3cb22\
    c0fdf8f800";
/// The same with `-preset ultrafast -tune zerolatency -profile:v baseline`, which has no high-profile fields.
pub const AVC_1080_BASELINE: &str =
    "17000000000142c028ffe100196742c028da01e0089f970110000003001000000303c8f1832a01000468ce0fc8";
/// ffmpeg 5: `V(853:480) -pix_fmt yuv444p -c:v libx264 -x264-params cqm=jvt`: scaling lists, and a width that only
/// 4:4:4 can crop to.
pub const AVC_853_444: &str = "170000000001f4001effe1001f67f4001e919b281b07bc67ff850004ff880000030008000003019078b16cb001000868\
    ebe3c44c000440fff8f800";
/// ffmpeg 5: `-f lavfi -i testsrc2=size=720x576:rate=25 -frames:v 3 -pix_fmt yuv420p -c:v libx264 -flags +ildct+ilme
/// -x264-params interlaced=1`
pub const AVC_INTERLACED: &str = "17000000000164001effe100186764001eacd940b424d8088000000300800000190f8a14cb01000668fba3cb22c0fdf8\
    f800";
/// ffmpeg 9: `-f lavfi -i testsrc2=size=1920x1080:rate=50 -frames:v 3 -pix_fmt yuv420p -c:v libx265 -preset ultrafast
/// -x265-params info=0`
pub const HEVC_1080: &str = "90687663310101600000009000000000007bf000fcfdf8f800000f03200001001840010c01ffff016000000300900000\
    03000003007b959409210001002b42010101600000030090000003000003007ba003c0801107cb965654a4c2f0168080\
    00000300800000190422000100064401c073c189";
/// ffmpeg 9: `V(853:480) -pix_fmt yuv444p10le -c:v libx265 -preset slow -x265-params info=0:scaling-list=default`
pub const HEVC_853_444: &str = "90687663310104080000009c08000000005af000fcfffafa00000f03200001001740010c01ffff0408000003009c0800\
    000300005a959809210001002f4201010408000003009c0800000300005a9000d6403c3936cb2b349272bffc280027fd\
    a0200000030020000003032122000100084401c172860c4624";
/// ffmpeg 9: `-f lavfi -i testsrc2=size=854x480:rate=25 -frames:v 3 -pix_fmt yuv420p10le -c:v libvvenc -preset faster`
pub const VVC_854: &str = "9076766331ff00655f010230800000035801e00000028f00010096007900ab0230800000801ac8078759a801cdffeb08\
    4d958c10209c00ca0c5842183110819220d487a3d5a92f249a92c9116a22f1126a22452444992224d4659210b5085e10\
    bd5a92f25ea19418b100c5880810810102a102020690810102c408081104040b2080812101064081108102c840812204\
    1a081241070832045a104908710d09723950cc119c500000030010000003019188900001000c008100000d6403c22241\
    f410";
/// ffmpeg 9: `V(853:480) -pix_fmt yuv420p -c:v libsvtav1 -preset 11`
pub const AV1_853: &str = "906176303181040c000a0c0200002526354ef805f00080";
/// The metadata message that follows it.
pub const AV1_METADATA: &str = "d461763031020009636f6c6f72496e666f03000b636f6c6f72436f6e66696703000009000009";
/// The start of its first key frame: a temporal delimiter, the sequence header, and part of the frame.
pub const AV1_KEY_FRAME: &str = "916176303112000a0c0200002526354ef895f2008032ad51";
/// ffmpeg 9: `-f lavfi -i testsrc2=size=320x180:rate=25 -frames:v 3 -pix_fmt yuv420p -c:v libaom-av1 -cpu-used 8`: the first
/// of two sequence headers.
pub const AV1_EMPTY: &str = "9061763031";
/// The second one.
pub const AV1_AOM: &str = "906176303181000c000a0b000000043cfeccdaf90040";
/// ffmpeg 9: `V(853:480) -pix_fmt yuv420p -c:v libvpx-vp9`
pub const VP9: &str = "907670303901000000001e820202020000";
/// The start of its first key frame.
pub const VP9_KEY_FRAME: &str = "9176703039824983420035401df61a38241c184a1006887f";
/// The start of the frame after it.
pub const VP9_INTER_FRAME: &str = "a17670303986004092f1d14004008676efe0eebf18ab51c0";
/// ffmpeg 5: `V(853:480) -pix_fmt yuv420p -c:v libvpx vp8.ivf`: the start of the first frame, without a message header.
pub const VP8_KEY_FRAME: &str = "f03c019d012a5503e00101070885858885848802";
/// ffmpeg 5: `-f lavfi -i testsrc2=size=320x240:rate=10 -frames:v 2 -c:v flv`: the start of the key frame.
pub const H263_KEY_FRAME: &str = "1200008402921e73e80c0070f80387c24807f07aac10a602";
/// ffmpeg 5: `-f lavfi -i testsrc2=size=322x242:rate=10 -frames:v 2 -c:v flashsv`: the start of the key frame.
pub const SCREEN_KEY_FRAME: &str = "13314230f2004e78daedce410900000804b0ebdf59b1816f";
/// ffmpeg 9: two video and two audio tracks, `-c:v libx264 -c:a aac`: the sequence header of the second video track.
pub const AVC_SECOND_TRACK: &str = "960061766331010164000cffe1001a6764000cacd941419f9f011000000300100000030320f142996001000668ebe3cb\
    22c0fdf8f800";
/// Every vector, for the tests that break them.
pub const ALL_VIDEO: &[&str] = &[
    AVC_1080,
    AVC_1080_BASELINE,
    AVC_853_444,
    AVC_INTERLACED,
    HEVC_1080,
    HEVC_853_444,
    VVC_854,
    AV1_853,
    AV1_METADATA,
    AV1_KEY_FRAME,
    AV1_AOM,
    VP9,
    VP9_KEY_FRAME,
    H263_KEY_FRAME,
    SCREEN_KEY_FRAME,
    AVC_SECOND_TRACK,
];
