//! axe-core, which finds what keeps people with assistive technology from using a page.

use super::browser::Browser;
use super::players;

/// The serious and critical faults of the page that the browser shows: rule, what is wrong, and where. Rules of WCAG 2.2
/// A and AA, and axe's own best practices for landmarks and headings.
///
/// # Panics
/// When axe-core is not installed and the process is root, which can install it: `test.sh` does.
pub fn serious_faults(browser: &Browser) -> Vec<String> {
    let Some(axe) = players::file("axe-core/axe.min.js") else {
        assert!(!super::rights::is_root(), "no axe-core: run test.sh, which installs it");
        eprintln!("left out: axe-core is not installed");
        return Vec::new();
    };
    // Injected by WebDriver, so that no page needs to allow it.
    if browser.script("return window.axe === undefined") == true {
        browser.script(&format!("{axe}; window.axe = axe;"));
    }
    let found = browser.wait_for_script(
        "const done = arguments[arguments.length - 1]; \
         axe.run(document, { resultTypes: ['violations'] }).then( \
           (r) => done(r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical') \
             .map((v) => `${v.id}: ${v.help}: ` + v.nodes.slice(0, 4).map((n) => n.target.join(' ') + ' (' + \
               (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? '') + ')').join(' | '))), \
           (error) => done([String(error)]))",
    );
    let texts = found.as_array().map(Vec::as_slice).unwrap_or_default();
    texts.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}
