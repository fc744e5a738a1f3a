import { Link } from 'wouter';

import { useSession } from '../api/queries';
import { Status } from '../parts/lamp';
import { Page, Panel } from '../parts/page';
import { chooseTheme, type Theme, useTheme } from '../shell/theme';

const themes: { theme: Theme; label: string }[] = [
  { theme: 'system', label: 'As the system' },
  { theme: 'light', label: 'Light' },
  { theme: 'dark', label: 'Dark' },
];

export function SettingsPage() {
  const session = useSession().data;
  const theme = useTheme();
  if (!session) return null;
  return (
    <Page title="Settings">
      <div className="stack settings">
        <Panel title="This stack">
          <dl className="facts">
            <dt>Name</dt>
            <dd>{session.stack}</dd>
            <dt>Version</dt>
            <dd>{session.version}</dd>
            <dt>Engine</dt>
            <dd>
              <Status sign={session.engine_reachable ? 'good' : 'bad'}>
                {session.engine_reachable ? 'reachable' : 'not reachable'}
              </Status>
              <div className="wrap-anywhere">{session.engine}</div>
            </dd>
            <dt>API</dt>
            <dd>
              <a href="/api/openapi.json">openapi.json</a>
            </dd>
          </dl>
        </Panel>
        <Panel title="Colours">
          <fieldset className="plain">
            <legend className="hidden-visually">Colours</legend>
            <div className="choice">
              {themes.map((each) => (
                <label key={each.theme} className="choice-item">
                  <input
                    className="hidden-visually"
                    type="radio"
                    name="theme"
                    checked={theme === each.theme}
                    onChange={() => chooseTheme(each.theme)}
                  />
                  {each.label}
                </label>
              ))}
            </div>
          </fieldset>
        </Panel>
        <Panel title="Keyboard">
          <dl className="facts">
            <dt>
              <kbd>/</kbd>
            </dt>
            <dd>Search; arrow keys choose, Enter goes there</dd>
            <dt>
              <kbd>Esc</kbd>
            </dt>
            <dd>Close what is open</dd>
            <dt>
              <kbd>↑</kbd> <kbd>↓</kbd>
            </dt>
            <dd>Move between the lines of a Dockerfile and between its facts</dd>
          </dl>
        </Panel>
        <Panel title="You">
          <p>
            Signed in as <strong>{session.principal}</strong>. <Link href="/account">Your account</Link> has your
            password, where you are signed in, your programs’ tokens, and the way out.
          </p>
        </Panel>
      </div>
    </Page>
  );
}
