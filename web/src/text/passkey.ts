/** Passkeys in JSON and back: what the stack asks, as browsers take it, and what they give, as the stack takes it. */

/** The bytes that a text in base64url stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** Bytes in base64url. */
export function textOf(bytes: ArrayBuffer | null): string | null {
  if (bytes === null) return null;
  const plain = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

interface Descriptor {
  id: string;
  type: 'public-key';
}

interface AskedJson {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  excludeCredentials?: Descriptor[];
  allowCredentials?: Descriptor[];
}

const decoded = (known: Descriptor[] | undefined) => (known ?? []).map((each) => ({ ...each, id: bytesOf(each.id) }));

/** What a browser is asked for, so that a passkey is made. */
export function creation(options: unknown): CredentialCreationOptions {
  const publicKey = options as AskedJson;
  return {
    publicKey: {
      ...publicKey,
      challenge: bytesOf(publicKey.challenge),
      user: publicKey.user && { ...publicKey.user, id: bytesOf(publicKey.user.id) },
      excludeCredentials: decoded(publicKey.excludeCredentials),
    } as unknown as PublicKeyCredentialCreationOptions,
  };
}

/** What a browser is asked for, so that a passkey is shown. */
export function request(options: unknown): CredentialRequestOptions {
  const publicKey = options as AskedJson;
  return {
    publicKey: {
      ...publicKey,
      challenge: bytesOf(publicKey.challenge),
      allowCredentials: decoded(publicKey.allowCredentials),
    },
  };
}

/** A passkey that was made, for the stack. */
export function made(credential: PublicKeyCredential): Record<string, unknown> {
  const response = credential.response as AuthenticatorAttestationResponse;
  return {
    ...common(credential),
    response: {
      clientDataJSON: textOf(response.clientDataJSON),
      attestationObject: textOf(response.attestationObject),
      transports: response.getTransports(),
    },
  };
}

/** A passkey that was shown, for the stack. */
export function shown(credential: PublicKeyCredential): Record<string, unknown> {
  const response = credential.response as AuthenticatorAssertionResponse;
  return {
    ...common(credential),
    response: {
      clientDataJSON: textOf(response.clientDataJSON),
      authenticatorData: textOf(response.authenticatorData),
      signature: textOf(response.signature),
      userHandle: textOf(response.userHandle),
    },
  };
}

const common = (credential: PublicKeyCredential) => ({
  id: credential.id,
  rawId: textOf(credential.rawId),
  type: credential.type,
  clientExtensionResults: credential.getClientExtensionResults(),
});

/** Why nothing came of it, where the browser says so; in words for whoever it was. */
export function whyNot(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const words: Record<string, string> = {
    NotAllowedError: 'Nothing came of it: it was called off, took too long, or there is no passkey for this place.',
    InvalidStateError: 'This device has a passkey of yours for this place already.',
    SecurityError: 'The browser refuses passkeys at this address.',
    NotSupportedError: 'This browser or device keeps no passkeys.',
  };
  return new Error(Object.hasOwn(words, error.name) ? words[error.name] : error.message);
}

/** What a new passkey may be called, after where it is made. */
export function calledAfter(agent: string): string {
  const names: [RegExp, string][] = [
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/Macintosh/, 'Mac'],
    [/Windows/, 'Windows'],
    [/Linux/, 'Linux'],
  ];
  return names.find(([pattern]) => pattern.test(agent))?.[1] ?? 'passkey';
}
