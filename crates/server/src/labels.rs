//! What a container of ours carries, so that from it alone can be told what it was meant to be.

/// The stack that made it.
pub const STACK: &str = "dev.ergon.stack";
/// The project it belongs to.
pub const PROJECT: &str = "dev.ergon.project";
/// Its name in the manifest.
pub const CONTAINER: &str = "dev.ergon.container";
pub const BUILD_HASH: &str = "dev.ergon.build-hash";
pub const IMAGE_DIGEST: &str = "dev.ergon.image-digest";
/// Names of the secrets that it finds as files, with commas between.
pub const SECRETS: &str = "dev.ergon.secrets";
/// The folder with those, among those of the stack.
pub const SECRETS_IN: &str = "dev.ergon.secrets-in";
pub const MANIFEST_DIGEST: &str = "dev.ergon.manifest-digest";
