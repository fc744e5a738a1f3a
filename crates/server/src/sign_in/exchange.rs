//! The authorization code flow with PKCE, as OpenID Connect has it: where somebody is sent, and what comes back.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AdditionalProviderMetadata, AuthType,
    AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
    UserInfoClaims,
};
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::claims::{Verified, is_said};
use super::error::ProviderError;
use super::outgoing::{Outgoing, OutgoingError};
use super::provider::IdentityProvider;

/// A subject is no longer, says the specification.
const LONGEST_SUBJECT: usize = 255;
/// Clocks may differ by so many seconds.
const SKEW: i64 = 120;
/// A token that was made for this sign-in is no older, in seconds.
const OLDEST: i64 = 60 * 60;

/// How tokens may be signed: with keys of which the provider shows one half. Never `none`, and never with a secret that
/// both sides know: a public key would be one that everybody knows.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider says of itself beside what the library reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MoreMetadata {
    /// Whether its answers say whose they are (RFC 9207).
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for MoreMetadata {}

/// What a provider says of somebody beside what the library reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MoreClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for MoreClaims {}

/// What a provider says of itself, with its keys.
pub type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Fields = IdTokenFields<
    MoreClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

type Relying = Client<
    MoreClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What has to come back as it went, and what never leaves the stack until it does.
#[derive(Clone)]
pub struct Challenge {
    pub state: String,
    pub nonce: String,
    /// What only whoever began knows (PKCE).
    pub verifier: String,
    pub return_to: String,
}

/// One provider, as it can be asked now.
pub struct Exchange<'a> {
    pub provider: &'a IdentityProvider,
    pub secret: Option<String>,
    pub metadata: &'a Metadata,
    pub outgoing: &'a Outgoing,
}

/// Asks a provider who it is and for its keys. It has to be who was asked.
pub async fn discover(issuer: &str, outgoing: &Outgoing) -> Result<Metadata, ProviderError> {
    let no_issuer = ProviderError::Metadata("its issuer is no URL");
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| no_issuer)?;
    let metadata = Metadata::discover_async(issuer, outgoing).await;
    let metadata = metadata.map_err(|error| match error {
        DiscoveryError::Request(error) => ProviderError::Outgoing(error),
        DiscoveryError::Validation(_) => {
            ProviderError::Metadata("its issuer is another than was named")
        }
        DiscoveryError::Response(..) => {
            ProviderError::Metadata("it does not answer with a discovery document and keys")
        }
        _ => ProviderError::Metadata("its discovery document or its keys cannot be read"),
    })?;
    if metadata.token_endpoint().is_none() {
        return Err(ProviderError::Metadata("it names no address for tokens"));
    }
    // Whoever signs in is sent there: nowhere without TLS, either.
    if !outgoing.may_ask(metadata.authorization_endpoint().url()) {
        return Err(ProviderError::Outgoing(OutgoingError::Plain));
    }
    if signatures(&metadata).is_empty() {
        return Err(ProviderError::Metadata(
            "it signs with nothing that can be checked here",
        ));
    }
    Ok(metadata)
}

/// How tokens of this provider may be signed.
fn signatures(metadata: &Metadata) -> Vec<CoreJwsSigningAlgorithm> {
    let said = metadata.id_token_signing_alg_values_supported();
    let known = SIGNATURES.into_iter();
    known.filter(|algorithm| said.contains(algorithm)).collect()
}

impl Exchange<'_> {
    fn relying(&self, return_to: &str) -> Result<Relying, ProviderError> {
        let no_address = ProviderError::Metadata("its answers cannot come back here");
        let return_to = RedirectUrl::new(return_to.to_owned()).map_err(|_| no_address)?;
        let client = Relying::from_provider_metadata(
            self.metadata.clone(),
            ClientId::new(self.provider.client_id.clone()),
            self.secret.clone().map(ClientSecret::new),
        );
        Ok(client
            .set_redirect_uri(return_to)
            .set_auth_type(self.how_to_show_the_secret()))
    }

    /// In a header, unless the provider takes it in the body only.
    fn how_to_show_the_secret(&self) -> AuthType {
        let known = self.metadata.token_endpoint_auth_methods_supported();
        let takes = |method| known.is_none_or(|known| known.contains(&method));
        if known.is_none() || takes(CoreClientAuthMethod::ClientSecretBasic) {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        }
    }

    /// Where somebody is sent to say who they are.
    pub fn begin(&self, challenge: &Challenge) -> Result<Url, ProviderError> {
        let relying = self.relying(&challenge.return_to)?;
        let verifier = PkceCodeVerifier::new(challenge.verifier.clone());
        let scopes = self.provider.scopes.iter().cloned().map(Scope::new);
        let (state, nonce) = (challenge.state.clone(), challenge.nonce.clone());
        let (url, _, _) = relying
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    /// Trades the code that came back for what the provider says of somebody, and checks it.
    pub async fn finish(
        &self,
        challenge: &Challenge,
        code: String,
        said_issuer: Option<&str>,
    ) -> Result<Verified, ProviderError> {
        let issuer = self.metadata.issuer();
        let more = self.metadata.additional_metadata();
        let must_say = more.authorization_response_iss_parameter_supported == Some(true);
        if said_issuer.map_or(must_say, |said| said != issuer.as_str()) {
            return Err(ProviderError::OtherIssuer);
        }
        let relying = self.relying(&challenge.return_to)?;
        let request = relying
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| ProviderError::Metadata("it names no address for tokens"))?
            .set_pkce_verifier(PkceCodeVerifier::new(challenge.verifier.clone()));
        let tokens: Tokens = request
            .request_async(self.outgoing)
            .await
            .map_err(untaken)?;
        let mut claims = self.checked(&tokens, challenge)?;
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_subject = (1..=LONGEST_SUBJECT).contains(&subject.len())
            && !subject.chars().any(char::is_control);
        if !is_subject {
            return Err(ProviderError::Token("its subject is none"));
        }
        let subject = subject.to_owned();
        if !is_said(&claims, &self.provider.claim) {
            self.ask_for_more(&relying, &tokens, &subject, &mut claims)
                .await?;
        }
        Ok(Verified {
            issuer: issuer.as_str().to_owned(),
            subject,
            claims,
        })
    }

    /// What the id token says, once all of it was checked.
    fn checked(
        &self,
        tokens: &Tokens,
        challenge: &Challenge,
    ) -> Result<Map<String, Value>, ProviderError> {
        let token = tokens.id_token();
        let token = token.ok_or(ProviderError::Token("there is no id token"))?;
        let now = ergon_store::now() / 1000;
        // That of a public client: with no secret it knows, no token can be signed.
        let verifier = IdTokenVerifier::new_public_client(
            ClientId::new(self.provider.client_id.clone()),
            self.metadata.issuer().clone(),
            self.metadata.jwks().clone(),
        )
        .set_allowed_algs(signatures(self.metadata))
        .set_issue_time_verifier_fn(move |issued| {
            let age = now - issued.timestamp();
            if (-SKEW..=OLDEST).contains(&age) {
                Ok(())
            } else {
                Err("it was not made for this".to_owned())
            }
        });
        let nonce = Nonce::new(challenge.nonce.clone());
        let claims = token.claims(&verifier, &nonce).map_err(|error| {
            tracing::warn!(
                provider = self.provider.name,
                ?error,
                "an id token is refused"
            );
            ProviderError::Token(unbelieved(&error))
        })?;
        if let Some(party) = claims.authorized_party()
            && party.as_str() != self.provider.client_id
        {
            return Err(ProviderError::Token("it was made for another client"));
        }
        if let Some(said) = claims.access_token_hash() {
            let hash = token
                .signing_alg()
                .ok()
                .zip(token.signing_key(&verifier).ok())
                .and_then(|(algorithm, key)| {
                    AccessTokenHash::from_token(tokens.access_token(), algorithm, key).ok()
                });
            if hash.as_ref() != Some(said) {
                return Err(ProviderError::Token("its access token is another's"));
            }
        }
        map(claims)
    }

    /// Many providers say in the id token only who it is, and the rest to whoever asks with the access token.
    async fn ask_for_more(
        &self,
        relying: &Relying,
        tokens: &Tokens,
        subject: &str,
        claims: &mut Map<String, Value>,
    ) -> Result<(), ProviderError> {
        let access: &AccessToken = tokens.access_token();
        let is_header = HeaderValue::from_str(access.secret()).is_ok();
        let subject = openidconnect::SubjectIdentifier::new(subject.to_owned());
        let Ok(request) = relying.user_info(access.clone(), Some(subject)) else {
            return Ok(());
        };
        if !is_header {
            return Err(ProviderError::Token("its access token is none"));
        }
        let more: UserInfoClaims<MoreClaims, CoreGenderClaim> = request
            .request_async(self.outgoing)
            .await
            .map_err(|error| {
                tracing::warn!(
                    provider = self.provider.name,
                    ?error,
                    "what it says of somebody is refused"
                );
                match error {
                    openidconnect::UserInfoError::Request(error) => ProviderError::Outgoing(error),
                    _ => ProviderError::Token(
                        "what it says of somebody is not about them, or cannot be read",
                    ),
                }
            })?;
        for (claim, value) in map(&more)? {
            claims.entry(claim).or_insert(value);
        }
        Ok(())
    }
}

fn map(claims: &impl Serialize) -> Result<Map<String, Value>, ProviderError> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err(ProviderError::Token("its claims are none")),
    }
}

fn untaken(
    error: RequestTokenError<OutgoingError, StandardErrorResponse<CoreErrorResponseType>>,
) -> ProviderError {
    match error {
        RequestTokenError::Request(error) => ProviderError::Outgoing(error),
        RequestTokenError::ServerResponse(response) => {
            tracing::warn!(error = ?response.error(), description = ?response.error_description(), "a code is refused");
            ProviderError::Code(match response.error() {
                CoreErrorResponseType::InvalidGrant => ": it is used up, over, or another's",
                CoreErrorResponseType::InvalidClient
                | CoreErrorResponseType::UnauthorizedClient => {
                    ": it does not know the stack by this id and secret"
                }
                _ => "",
            })
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            ProviderError::Token("its answer cannot be read")
        }
    }
}

/// What is wrong with a token, in words of our own: what the library says repeats parts of it.
fn unbelieved(error: &ClaimsVerificationError) -> &'static str {
    use SignatureVerificationError as Signature;
    match error {
        ClaimsVerificationError::Expired(_) => "its time is over, or has not come",
        ClaimsVerificationError::InvalidAudience(_) => "it is for somebody else than this stack",
        ClaimsVerificationError::InvalidIssuer(_) => "it is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "it was not made for this sign-in",
        ClaimsVerificationError::SignatureVerification(Signature::DisallowedAlg(_)) => {
            "it is signed in a way that proves nothing"
        }
        ClaimsVerificationError::SignatureVerification(Signature::NoSignature) => {
            "it is not signed"
        }
        ClaimsVerificationError::SignatureVerification(Signature::NoMatchingKey) => {
            "it is signed with a key that the provider does not show"
        }
        ClaimsVerificationError::SignatureVerification(_) => "its signature is wrong",
        _ => "it is not what a token is",
    }
}
