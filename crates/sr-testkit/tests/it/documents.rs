//! The page about the sandbox says what the code says.

use sr_testkit::Switches;

#[test]
fn the_page_lists_every_switch_with_its_values() {
    let page = include_str!("../../../../docs/sandbox.md");
    for switch in Switches::all() {
        let start = format!("| `{}` |", switch.name());
        let row = page.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
        let told: Vec<String> = row
            .split('|')
            .nth(2)
            .unwrap_or_default()
            .split_whitespace()
            .map(|value| value.replace(['`', '*'], ""))
            .collect();
        let values = switch.values().replace(" | ", " ").replace(['<', '>'], "");
        assert_eq!(told.join(" "), values, "{}", switch.name());
    }
}
