//! Whatever somebody calls a layer: its entries are read, and none of them leads out of where it is unpacked.
#![no_main]

use std::io::Read;

use ergon_oci::layer::{EntryKind, read_layer};
use libfuzzer_sys::fuzz_target;

/// So many bytes of one content are read: a sparse file may claim gibibytes.
const READ: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_layer(bytes, |entry, content| {
        let leads_out = |path: &str| path.starts_with('/') || path.split('/').any(|part| part == "..");
        assert!(!leads_out(&entry.path) && !entry.path.contains('\0'));
        if let EntryKind::Hardlink(target) = &entry.kind {
            assert!(!leads_out(target));
        }
        let _ = std::io::copy(&mut content.take(READ), &mut std::io::sink());
        Ok::<_, ergon_oci::Error>(())
    });
});
