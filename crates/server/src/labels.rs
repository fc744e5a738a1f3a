//! What a container of ours carries, so that from it alone can be told what it was meant to be.

/// The stack that made it.
pub const STACK: &str = "dev.ergon.stack";
/// The project it belongs to.
pub const PROJECT: &str = "dev.ergon.project";
/// Its name in the manifest.
pub const CONTAINER: &str = "dev.ergon.container";
pub const BUILD_HASH: &str = "dev.ergon.build-hash";
pub const IMAGE_DIGEST: &str = "dev.ergon.image-digest";
pub const MANIFEST_DIGEST: &str = "dev.ergon.manifest-digest";
