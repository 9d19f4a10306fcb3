//! Pages as a wall display and as a telephone has them, light and dark: looked over for faults, and kept as pictures.

use std::path::Path;

use serde_json::json;

use super::axe;
use super::browser::Browser;

/// Widths, pixels: a desk and a telephone.
const WIDTHS: [u32; 2] = [1440, 390];
/// Longer pages are cut, pixels.
const TALLEST: u64 = 2_600;

/// How closely a page is looked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// By axe in both themes and widths, and with pictures.
    Whole,
    /// By axe in both themes, and without pictures: another language of a page that was looked over whole.
    Language,
}

/// Looks over the page that the browser shows, in both themes and widths: nothing may stand out over its edge. Gives the
/// serious faults that axe finds. With `LASTFRAME_SCREENS=1` pictures are kept as `docs/screens/NAME-WIDTH-THEME.png`.
///
/// # Panics
/// When the page is wider than its window.
pub fn look(browser: &Browser, name: &str, care: Care) -> Vec<String> {
    let keeps =
        care == Care::Whole && std::env::var_os("LASTFRAME_SCREENS").is_some_and(|value| value == "1");
    browser.cdp("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    let mut faults = Vec::new();
    for theme in ["light", "dark"] {
        let feature = json!({ "name": "prefers-color-scheme", "value": theme });
        browser.cdp("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
        for width in WIDTHS {
            browser.size(width, 900);
            let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= u64::from(width), "{name} is {wide} pixels wide in a window of {width}");
            if care == Care::Whole || width == WIDTHS[0] {
                let found = axe::serious_faults(browser);
                faults.extend(found.into_iter().map(|fault| format!("{name}, {theme}, {width}: {fault}")));
            }
            if keeps {
                let tall = browser.script("return document.documentElement.scrollHeight").as_u64().unwrap();
                browser.size(width, u32::try_from(tall.clamp(900, TALLEST)).unwrap());
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screens");
                browser.keep_picture(&folder.join(format!("{name}-{width}-{theme}.png")));
            }
        }
    }
    browser.cdp("Emulation.setEmulatedMedia", json!({ "features": [] }));
    browser.cdp("Emulation.clearDeviceMetricsOverride", json!({}));
    faults
}
