import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useEffect, useState } from 'react';

import { signIn } from '../api/actions';
import { keys } from '../api/keys';
import { Button } from '../parts/button';
import { Mark } from '../parts/mark';
import { Trouble } from '../parts/notice';

/** Shown to whoever is not signed in: how to get a link, and a place for its code. */
export function SignIn({ error }: { error: unknown }) {
  const queries = useQueryClient();
  const [code, setCode] = useState('');
  const attempt = useMutation({
    mutationFn: signIn,
    onSuccess: (session) => queries.setQueryData(keys.session, session),
  });

  useEffect(() => {
    document.title = 'Sign in · Ergon';
  }, []);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const given = codeIn(code);
    if (given) attempt.mutate(given);
  };

  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit}>
        <Mark />
        <h1 className="page-title">Sign in to Ergon</h1>
        <p>
          Run <code>ergon link</code> in a terminal on the stack’s machine and open the link it prints. A link is good
          for one sign-in.
        </p>
        <label className="field">
          <span className="field-label">Or paste the link or its code here</span>
          <input
            className="input mono"
            value={code}
            autoComplete="off"
            spellCheck={false}
            autoFocus
            onChange={(event) => setCode(event.target.value)}
          />
        </label>
        <Trouble error={attempt.error ?? (attempt.isPending ? null : error)} />
        <div>
          <Button kind="primary" type="submit" busy={attempt.isPending && 'Signing in…'} disabled={!codeIn(code)}>
            Sign in
          </Button>
        </div>
      </form>
    </main>
  );
}

/** The code in what was pasted: a code, or a link with one in its fragment. */
function codeIn(pasted: string): string {
  const text = pasted.trim();
  return /#code=([^&\s]+)/.exec(text)?.[1] ?? text;
}
