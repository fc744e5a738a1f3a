//! Refusals, as the specification words them: a status, a code, and a sentence for whoever reads it.

use serde::Serialize;

/// The codes that the specification knows, and Docker's one for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    Unknown,
}

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// HTTP's status.
    pub status: u16,
    pub code: Code,
    pub message: String,
    /// What of it, where a program may want to know: a digest, a name.
    pub detail: Vec<String>,
    /// After how many seconds it may be asked for again, where that is known.
    pub retry_after: Option<u64>,
}

impl Refusal {
    pub fn new(status: u16, code: Code, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: Vec::new(),
            retry_after: None,
        }
    }

    #[must_use]
    pub fn about(mut self, detail: impl IntoIterator<Item = String>) -> Self {
        self.detail.extend(detail);
        self
    }

    /// `{"errors": [{"code", "message", "detail"}]}`; one error for each thing that it is about.
    pub fn body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            errors: Vec<Error<'a>>,
        }
        #[derive(Serialize)]
        struct Error<'a> {
            code: Code,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
        }
        let error = |detail| Error {
            code: self.code,
            message: &self.message,
            detail,
        };
        let mut errors: Vec<_> = self
            .detail
            .iter()
            .map(|detail| error(Some(detail.as_str())))
            .collect();
        if errors.is_empty() {
            errors.push(error(None));
        }
        serde_json::to_vec(&Body { errors }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_worded_as_the_specification_has_it() {
        let refusal = Refusal::new(429, Code::TooManyRequests, "not so fast");
        insta::assert_snapshot!(String::from_utf8(refusal.body()).unwrap(), @r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"not so fast"}]}"#);
        let refusal = Refusal::new(404, Code::ManifestBlobUnknown, "not here")
            .about(["a".to_owned(), "b".to_owned()]);
        insta::assert_snapshot!(String::from_utf8(refusal.body()).unwrap(), @r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"not here","detail":"a"},{"code":"MANIFEST_BLOB_UNKNOWN","message":"not here","detail":"b"}]}"#);
    }
}
