//! Pictures of a page as a wall display and as a telephone has it, light and dark.

use std::path::PathBuf;

use serde_json::json;

use super::browser::Browser;

/// Widths, pixels: a desk and a telephone.
const WIDTHS: [u32; 2] = [1440, 390];
/// Longer pages are cut, pixels.
const TALLEST: u64 = 2_600;

/// Looks at the page that the browser shows in each width, light and dark: nothing may stand out over its edge. With
/// `LASTFRAME_SCREENS=1` the pictures are kept as `docs/screens/NAME-WIDTH-THEME.png`, else under `target/screens`.
///
/// # Panics
/// When the page is wider than its window.
pub fn shoot(browser: &Browser, name: &str) {
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    for width in WIDTHS {
        for theme in ["light", "dark"] {
            browser.cdp(
                "Emulation.setEmulatedMedia",
                json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] }),
            );
            browser.size(width, 900);
            let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= u64::from(width), "{name} is {wide} pixels wide in a window of {width}");
            let tall = browser.script("return document.documentElement.scrollHeight").as_u64().unwrap();
            let tall = u32::try_from(tall.clamp(900, TALLEST)).unwrap();
            browser.size(width, tall);
            browser.keep_picture(&folder.join(format!("{name}-{width}-{theme}.png")));
        }
    }
    browser.cdp("Emulation.setEmulatedMedia", json!({ "features": [] }));
    browser.cdp("Emulation.clearDeviceMetricsOverride", json!({}));
}

fn folder() -> PathBuf {
    if std::env::var_os("LASTFRAME_SCREENS").is_some_and(|value| value == "1") {
        return PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/screens");
    }
    super::browser::screens()
}
