//! Whatever lies in a layout or a docker-archive: an image that is whole and can be compared, or an error.
#![no_main]

mod written_files;

use std::fs;
use std::path::Path;

use ergon_manifest::Digest;
use ergon_oci::{Blobs, Error, Image, archive, layout};
use ergon_pack::{Side, compare};
use libfuzzer_sys::fuzz_target;

const PLATFORM: &str = "linux/amd64";

fuzz_target!(|text: &str| {
    let files = written_files::read(text);
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::open(folder.path().join("blobs")).expect("blobs");
    let read = [in_archive(&files, &blobs), in_layout(&files, folder.path(), &blobs)];
    let images: Vec<Image> = read.into_iter().flatten().collect();
    for image in &images {
        assert!(image.is_whole(&blobs));
    }
    if let [first, second] = images.as_slice() {
        let side = |image| Side { blobs: &blobs, image };
        let _ = compare(side(first), side(second));
    }
});

fn in_archive(files: &[(String, Vec<u8>)], blobs: &Blobs) -> Result<Image, Error> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let _ = tar.append_data(&mut header, name, content.as_slice());
    }
    archive::read(tar.into_inner().expect("a tar").as_slice(), None, blobs)
}

fn in_layout(files: &[(String, Vec<u8>)], folder: &Path, blobs: &Blobs) -> Result<Image, Error> {
    let layout = folder.join("layout");
    let own = layout.join("blobs/sha256");
    fs::create_dir_all(&own).expect("a folder");
    fs::write(layout.join("oci-layout"), "{}").expect("a file");
    for (name, content) in files {
        if name == "index.json" {
            fs::write(layout.join(name), content).expect("a file");
        }
        fs::write(own.join(Digest::of(content).hex()), content).expect("a file");
    }
    let _ = layout::read_all(&layout, None, blobs);
    let image = layout::read(&layout, None, PLATFORM, blobs)?;
    let _ = layout::read_referrers(&layout, &image.digest, blobs);
    Ok(image)
}
