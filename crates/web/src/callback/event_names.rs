//! The types of push errors in words, as callbacks carry them: English and Chinese.

/// A type's English and Chinese name; empty for types that have none.
pub fn of(kind: u8) -> (&'static str, &'static str) {
    match kind {
        1 => ("Video timestamp went back", "视频时间戳回退"),
        2 => ("Audio timestamp went back", "音频时间戳回退"),
        3 => ("Video timestamp jumped ahead", "视频时间戳跳变"),
        4 => ("Audio timestamp jumped ahead", "音频时间戳跳变"),
        5 => ("Chunk size too large", "chunk size 过大"),
        6 => ("Too long between two video frames", "视频帧到达间隔过大"),
        7 => ("Too long between two audio frames", "音频帧到达间隔过大"),
        8 => ("Video codec changed", "视频编码格式变化"),
        9 => ("Audio codec changed", "音频编码格式变化"),
        10 => ("No video codec header before the first frame", "首个视频帧之前没有编码头"),
        11 => ("No audio codec header before the first frame", "首个音频帧之前没有编码头"),
        12 => ("Audio frame timestamps too far apart", "音频帧时间戳间隔过大"),
        13 => ("Uncommon codec", "不常见的音视频编码"),
        14 => ("Video header cannot be parsed", "视频头解析失败"),
        15 => ("Video frame rate too low", "视频帧率过低"),
        16 => ("GOP too large", "GOP 过大"),
        _ => ("", ""),
    }
}
