import './styles/index.css';

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { keys } from './api/keys';
import { ProblemError } from './api/problem';
import { signInByLink } from './api/sign-in-link';
import { signInByReturn } from './api/sign-in-return';
import { App, type Arrival } from './app';
import { noteLink } from './shell/came-by-link';
import { applyTheme } from './shell/theme';

applyTheme();

/** Whoever is no longer signed in is asked to sign in again, whatever it was that said so. */
const onError = (error: Error) => {
  if (error instanceof ProblemError && error.problem.status === 401) queries.setQueryData(keys.session, null);
};

const queries = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      // The live feed says when something changed; nothing goes stale by itself.
      staleTime: 30_000,
      retry: (failures, error) => !(error instanceof ProblemError) && failures < 2,
    },
  },
});

const root = document.getElementById('root');
if (root) void start(createRoot(root));

async function start(page: ReturnType<typeof createRoot>) {
  const draw = (arrival: Arrival) =>
    page.render(
      <StrictMode>
        <QueryClientProvider client={queries}>
          <App arrival={arrival} />
        </QueryClientProvider>
      </StrictMode>,
    );
  const byLink = async (): Promise<Arrival> => {
    try {
      const session = await signInByLink();
      if (session) {
        queries.setQueryData(keys.session, session);
        noteLink();
      }
      return {};
    } catch (error) {
      return { byLink: error };
    }
  };
  const byReturn = async (): Promise<Arrival | undefined> => {
    try {
      const session = await signInByReturn();
      if (session) queries.setQueryData(keys.session, session);
      return session && {};
    } catch (error) {
      return { byReturn: error };
    }
  };
  // A link that is opened in a tab already here changes only the fragment.
  window.addEventListener('hashchange', () => void byLink().then(draw));
  draw((await byReturn()) ?? (await byLink()));
}
