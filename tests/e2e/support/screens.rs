//! Pictures of a page as a wall display and as a telephone has it, light and dark.

use std::path::Path;

use serde_json::json;

use super::browser::Browser;

/// Widths, pixels: a desk and a telephone.
const WIDTHS: [u32; 2] = [1440, 390];
/// Longer pages are cut, pixels.
const TALLEST: u64 = 2_600;

/// Looks at the page that the browser shows in each width: nothing may stand out over its edge. With
/// `LASTFRAME_SCREENS=1` pictures are kept, light and dark, as `docs/screens/NAME-WIDTH-THEME.png`.
///
/// # Panics
/// When the page is wider than its window.
pub fn shoot(browser: &Browser, name: &str) {
    let keeps = std::env::var_os("LASTFRAME_SCREENS").is_some_and(|value| value == "1");
    browser.cdp("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    for width in WIDTHS {
        browser.size(width, 900);
        let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= u64::from(width), "{name} is {wide} pixels wide in a window of {width}");
        if !keeps {
            continue;
        }
        for theme in ["light", "dark"] {
            let feature = json!({ "name": "prefers-color-scheme", "value": theme });
            browser.cdp("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
            let tall = browser.script("return document.documentElement.scrollHeight").as_u64().unwrap();
            browser.size(width, u32::try_from(tall.clamp(900, TALLEST)).unwrap());
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screens");
            browser.keep_picture(&folder.join(format!("{name}-{width}-{theme}.png")));
            browser.size(width, 900);
        }
    }
    browser.cdp("Emulation.setEmulatedMedia", json!({ "features": [] }));
    browser.cdp("Emulation.clearDeviceMetricsOverride", json!({}));
}
