import { Redirect, Route, Switch, useLocation } from 'wouter';

import { useSession } from './api/queries';
import { Boundary } from './parts/boundary';
import { Empty } from './parts/empty';
import { Trouble } from './parts/notice';
import { Page } from './parts/page';
import { AccountPage } from './pages/account';
import { ActivityPage } from './pages/activity';
import { ApprovalsPage } from './pages/approvals';
import { AuditPage } from './pages/audit';
import { BuildPage } from './pages/build';
import { CompanionsPage } from './pages/companions';
import { ContainerPage } from './pages/container';
import { ContainersPage } from './pages/containers';
import { JobPage } from './pages/job';
import { ManifestPage } from './pages/manifest';
import { MessagesPage } from './pages/messages';
import { PeoplePage } from './pages/people';
import { PersonPage } from './pages/person';
import { PoliciesPage } from './pages/policies';
import { PolicyEditorPage } from './pages/policy-editor';
import { ProjectPage } from './pages/project';
import { ProjectsPage } from './pages/projects';
import { RegistryPage } from './pages/registry';
import { RegistryLookup } from './pages/registry-lookup';
import { SettingsPage } from './pages/settings';
import { SignIn } from './pages/sign-in';
import { SolutionPage } from './pages/solution';
import { SolutionsPage } from './pages/solutions';
import { Frame } from './shell/frame';

/** Why whoever arrived is not signed in: the link they came by, or what they came back with, did not work. */
export interface Arrival {
  byLink?: unknown;
  byReturn?: unknown;
}

/** The whole UI. */
export function App({ arrival }: { arrival: Arrival }) {
  const session = useSession();
  const [location] = useLocation();
  if (session.data === null) return <SignIn arrival={arrival} />;
  if (session.data === undefined) {
    return <main className="sign-in">{session.error && <Trouble error={session.error} />}</main>;
  }
  return (
    <Frame session={session.data}>
      <Boundary key={location}>
        <Pages />
      </Boundary>
    </Frame>
  );
}

function Pages() {
  return (
    <Switch>
      <Route path="/">
        <Redirect to="/projects" replace />
      </Route>
      <Route path="/projects" component={ProjectsPage} />
      <Route path="/projects/:id">{({ id }) => <ProjectPage key={id} id={decoded(id)} />}</Route>
      <Route path="/jobs/:id">{({ id }) => <JobPage key={id} id={decoded(id)} />}</Route>
      <Route path="/containers" component={ContainersPage} />
      <Route path="/containers/:name">{({ name }) => <ContainerPage key={name} name={decoded(name)} />}</Route>
      <Route path="/solutions" component={SolutionsPage} />
      <Route path="/solutions/:reference">
        {({ reference }) => <SolutionPage key={reference} reference={decoded(reference)} />}
      </Route>
      <Route path="/registry" component={RegistryPage} />
      <Route path="/registry/:reference">
        {({ reference }) => <RegistryLookup key={reference} reference={decoded(reference)} />}
      </Route>
      <Route path="/builds/:hash">{({ hash }) => <BuildPage key={hash} hash={decoded(hash)} />}</Route>
      <Route path="/manifests/:digest">{({ digest }) => <ManifestPage key={digest} digest={decoded(digest)} />}</Route>
      <Route path="/companions">
        <CompanionsPage />
      </Route>
      <Route path="/companions/:name">{({ name }) => <CompanionsPage name={decoded(name)} />}</Route>
      <Route path="/messages" component={MessagesPage} />
      <Route path="/approvals" component={ApprovalsPage} />
      <Route path="/activity" component={ActivityPage} />
      <Route path="/account" component={AccountPage} />
      <Route path="/people" component={PeoplePage} />
      <Route path="/people/:name">{({ name }) => <PersonPage key={name} name={decoded(name)} />}</Route>
      <Route path="/policies" component={PoliciesPage} />
      <Route path="/policies/:name">{({ name }) => <PolicyEditorPage key={name} name={decoded(name)} />}</Route>
      <Route path="/write-policy">
        <PolicyEditorPage />
      </Route>
      <Route path="/audit" component={AuditPage} />
      <Route path="/settings" component={SettingsPage} />
      <Route>
        <Page title="Nothing here">
          <Empty title="There is no page at this address">
            <p className="soft">
              The places on the left lead everywhere; the search above finds anything by name or digest.
            </p>
          </Empty>
        </Page>
      </Route>
    </Switch>
  );
}

/** A part of the address as it was meant; as it stands where it cannot be decoded. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
