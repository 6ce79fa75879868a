use super::*;

/// Promise: the whole table of transitions, as committed in `table.txt`. `BERTH_REGENERATE=1` writes it anew.
#[test]
fn the_table() {
    let name = |phase: &Phase| phase.name();
    let mut table = format!("{:12}", "from \\ to");
    table.extend(Phase::ALL.iter().map(|to| format!(" {:>11}", name(to))));
    for from in Phase::ALL {
        table.push_str(&format!("\n{:12}", from.name()));
        for to in Phase::ALL {
            let known = TRANSITIONS.iter().any(|(a, b, _)| (*a, *b) == (from, to));
            table.push_str(&format!(" {:>11}", if known { "yes" } else { "." }));
        }
    }
    table.push_str("\n\n");
    for (from, to, by) in TRANSITIONS {
        table.push_str(&format!("{} -> {}: {by}\n", from.name(), to.name()));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/row/transition/table.txt");
    if std::env::var_os("BERTH_REGENERATE").is_some() {
        std::fs::write(path, &table).expect("written");
    }
    let committed = std::fs::read_to_string(path).expect("the table");
    assert_eq!(
        committed, table,
        "BERTH_REGENERATE=1 cargo test -p berth-domain, and read the difference"
    );
}

/// Promise: nothing is in the table twice, and no way leads out of what was given out back to never used.
#[test]
fn the_table_is_sound() {
    for (place, (from, to, _)) in TRANSITIONS.iter().enumerate() {
        let again = TRANSITIONS[place + 1..]
            .iter()
            .any(|(a, b, _)| (a, b) == (from, to));
        assert!(!again, "{} -> {}", from.name(), to.name());
        assert_ne!(*to, Phase::NeverUsed);
        // A held or bound address is never simply free: it rests first.
        assert!(!matches!(
            (from, to),
            (Phase::Bound | Phase::Held, Phase::Free | Phase::Idle)
        ));
    }
}
