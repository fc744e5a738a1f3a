import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useEffect, useState } from 'react';

import { signIn } from '../api/actions';
import { hasPasskeys, useSignInWithPasskey } from '../api/passkeys';
import { useSignInThere, useSignInWays } from '../api/sign-in-return';
import type { Arrival } from '../app';
import { keys } from '../api/keys';
import { ProblemError } from '../api/problem';
import type { SignIn as Shown } from '../api/types';
import { Button } from '../parts/button';
import { Mark } from '../parts/mark';
import { Notice, Trouble } from '../parts/notice';
import { useNow } from '../parts/time';
import { noteLink } from '../shell/came-by-link';
import { codeIn } from '../text/sign-in';

/** Shown to whoever is not signed in: a name and a password, an account elsewhere, or a link. */
export function SignIn({ arrival }: { arrival: Arrival }) {
  useEffect(() => {
    document.title = 'Sign in · Ergon';
  }, []);

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Mark />
        <h1 className="page-title">Sign in to Ergon</h1>
        <ByPassword />
        <ByPasskey />
        <ByAccount error={arrival.byReturn} />
        <ByLink error={arrival.byLink} />
      </div>
    </main>
  );
}

/** Shows who one is; whoever is let in is somebody from then on. */
function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (shown: Shown) => signIn(shown),
    onSuccess: (session) => queries.setQueryData(keys.session, session),
  });
}

function ByPassword() {
  const attempt = useSignIn();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const mayTry = useMayTry(attempt.error);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const given = name.trim();
    if (given && password && mayTry) attempt.mutate({ name: given, password });
  };

  return (
    <form className="stack" onSubmit={submit}>
      <label className="field">
        <span className="field-label">Name</span>
        <input
          className="input"
          name="username"
          value={name}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <label className="field">
        <span className="field-label">Password</span>
        <input
          className="input"
          name="password"
          type="password"
          value={password}
          autoComplete="current-password"
          onChange={(event) => setPassword(event.target.value)}
        />
      </label>
      <Refused error={attempt.error} />
      <div>
        <Button
          kind="primary"
          type="submit"
          busy={attempt.isPending && 'Signing in…'}
          disabled={!name.trim() || !password || !mayTry}
        >
          Sign in
        </Button>
      </div>
    </form>
  );
}

/** A button for passkeys, where there can be any; at an address there can be none, and it says where. */
function ByPasskey() {
  const ways = useSignInWays();
  const attempt = useSignInWithPasskey();
  const mayTry = useMayTry(attempt.error);
  if (!ways.data || (ways.data.passkeys && !hasPasskeys())) return null;
  if (!ways.data.passkeys) {
    return (
      <p className="soft">
        With a passkey you sign in where the stack has a name: <code>{location.hostname}</code> is an address.
      </p>
    );
  }
  return (
    <div className="stack sign-in-accounts">
      <Button busy={attempt.isPending && 'Asking your device…'} disabled={!mayTry} onClick={() => attempt.mutate()}>
        Sign in with a passkey
      </Button>
      <Refused error={attempt.error} />
    </div>
  );
}

/** A button for each system whose accounts are good here. */
function ByAccount({ error }: { error: unknown }) {
  const ways = useSignInWays();
  const leave = useSignInThere();
  const failed = leave.error ?? (leave.isPending ? null : error);
  const mayTry = useMayTry(failed);
  const providers = ways.data?.providers ?? [];
  const { reset } = leave;
  useEffect(() => {
    // Whoever goes back in the browser's history finds the page as they left it.
    const stay = (event: PageTransitionEvent) => {
      if (event.persisted) reset();
    };
    window.addEventListener('pageshow', stay);
    return () => window.removeEventListener('pageshow', stay);
  }, [reset]);
  if (providers.length === 0 && !failed) return null;

  return (
    <div className="stack sign-in-accounts">
      <p className="soft">Or with an account you have elsewhere.</p>
      {providers.map(({ name, title }) => (
        <Button
          key={name}
          busy={leave.isPending && leave.variables === name && `To ${title}…`}
          disabled={leave.isPending || !mayTry}
          onClick={() => leave.mutate(name)}
        >
          Sign in with {title}
        </Button>
      ))}
      <Refused error={failed} />
    </div>
  );
}

function ByLink({ error }: { error: unknown }) {
  const attempt = useSignIn();
  const [code, setCode] = useState('');
  const failed = attempt.error ?? (attempt.isPending ? null : error);
  const mayTry = useMayTry(failed);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const given = codeIn(code);
    if (given && mayTry) attempt.mutate({ code: given }, { onSuccess: noteLink });
  };

  return (
    <form className="stack sign-in-link" onSubmit={submit}>
      <p className="soft">
        Or open a link: an owner can give you one, and <code>ergon link</code> prints one on the stack’s machine. It is
        good for one sign-in.
      </p>
      <div className="sign-in-code">
        <label className="field">
          <span className="field-label">The link, or its code</span>
          <input
            className="input mono"
            value={code}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setCode(event.target.value)}
          />
        </label>
        <Button type="submit" busy={attempt.isPending && 'Signing in…'} disabled={!codeIn(code) || !mayTry}>
          Use it
        </Button>
      </div>
      <Refused error={failed} />
    </form>
  );
}

const retryAt = (error: unknown): number | null => (error instanceof ProblemError ? error.retryAt : null);

/** Whether the stack would count another try by now. */
function useMayTry(error: unknown): boolean {
  const now = useNow();
  return now >= (retryAt(error) ?? 0);
}

/** Why nobody was let in; where there were too many tries, how long it is until the next. */
function Refused({ error }: { error: unknown }) {
  const now = useNow();
  const time = retryAt(error);
  if (time === null || !(error instanceof ProblemError)) return <Trouble error={error} />;
  const left = Math.ceil((time - now) / 1000);
  return (
    <Notice kind="warning">
      <p className="cause">There were too many tries to sign in.</p>
      {/* Said once: a screen reader is not to read every second. */}
      <p className="cause numbers" aria-live="off">
        {left > 0 ? `You can try again in ${left} s.` : 'You can try again now.'}
      </p>
      <p className="cause soft">A link works all the same: an owner can give you one.</p>
    </Notice>
  );
}
