//! Promise: this repository has the shape that the design gives it. One test per check; each names its findings.

use berth_tidy::tree::Tree;
use berth_tidy::{arrows, deploy, doors, heads, layout, lengths, planted, promises, readme, words};

fn holds(check: fn(&Tree) -> Vec<String>) {
    let tree = Tree::of_this_repository().expect("the repository can be read");
    assert!(
        tree.files().count() > 50,
        "this is not the whole repository"
    );
    let findings = check(&tree);
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

/// Promise: the top level is exactly the fixed set.
#[test]
fn the_top_level_is_the_fixed_set() {
    holds(layout::top_level);
}

/// Promise: no module hides in a mod.rs.
#[test]
fn a_module_stands_beside_its_folder() {
    holds(layout::module_files);
}

/// Promise: members depend on each other only along the design's arrows.
#[test]
fn arrows_are_the_designs() {
    holds(arrows::between_members);
}

/// Promise: a light program links nothing heavy, however far away.
#[test]
fn light_programs_stay_light() {
    holds(arrows::closures);
}

/// Promise: a heavy dependency stands in one manifest.
#[test]
fn a_heavy_dependency_has_one_manifest() {
    holds(doors::manifests);
}

/// Promise: a heavy dependency is named behind its door only.
#[test]
fn a_heavy_dependency_has_one_door() {
    holds(doors::sources);
}

/// Promise: files stay small.
#[test]
fn files_stay_small() {
    holds(lengths::files);
}

/// Promise: every crate says what it is and what it knows nothing of.
#[test]
fn every_crate_has_a_head() {
    holds(heads::of_crates);
}

/// Promise: every test names what it promises.
#[test]
fn every_test_names_its_promise() {
    holds(promises::of_tests);
}

/// Promise: no test is switched off.
#[test]
fn no_test_is_ignored() {
    holds(promises::none_ignored);
}

/// Promise: nothing is left for later, and no machine's paths stand anywhere.
#[test]
fn nothing_is_left_for_later() {
    holds(words::forbidden);
}

/// Promise: no shipped program can be built with a safeguard taken out.
#[test]
fn safeguards_are_taken_out_in_tests_only() {
    holds(planted::never_shipped);
}

/// Promise: the README's code map names every member.
#[test]
fn the_code_map_is_whole() {
    holds(readme::code_map);
}

/// Promise: what the README links to and runs is there.
#[test]
fn what_the_readme_names_is_there() {
    holds(readme::what_it_names);
}

/// Promise: every figure of the README was measured.
#[test]
fn no_figure_is_left_open() {
    holds(readme::no_open_figure);
}

/// Promise: the three configurations that are started by hand fit each other.
#[test]
fn three_by_hand_fit_each_other() {
    holds(deploy::three_by_hand);
}
