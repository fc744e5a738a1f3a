/** The names under which answers are kept; a longer key is invalidated with its first part. */
export const keys = {
  session: ['session'],
  signInWays: ['sign-in-ways'],
  projects: ['projects'],
  project: (id: string) => ['projects', id],
  containers: ['containers'],
  container: (name: string) => ['containers', name],
  containerHistory: (name: string, since: string) => ['container-history', name, since],
  builds: ['builds'],
  build: (hash: string) => ['builds', hash],
  registry: (reference: string) => ['registry', reference],
  solutions: ['solutions'],
  solution: (reference: string) => ['solutions', reference],
  companions: ['companions'],
  proposals: ['proposals'],
  exchanges: ['exchanges'],
  waitingMessages: ['waiting-messages'],
  jobs: ['jobs'],
  job: (id: string) => ['jobs', id],
  jobLog: (id: string) => ['job-log', id],
  events: ['events'],
  explanation: (key: string) => ['explanation', key],
  people: ['people'],
  person: (name: string) => ['people', name],
  personSessions: (name: string) => ['person-sessions', name],
  passkeys: (name: string) => ['passkeys', name],
  personTokens: (name: string) => ['person-tokens', name],
  policies: ['policies'],
  policySchema: ['policy-schema'],
  audit: ['audit'],
} as const;

/** What may look different once a resource of each kind has changed. */
const affected: Record<string, readonly string[]> = {
  project: ['projects', 'companions'],
  job: ['jobs', 'projects'],
  build: ['builds', 'registry', 'projects', 'solutions'],
  container: ['containers', 'companions', 'projects', 'builds'],
  solution: ['solutions'],
  companion: ['companions', 'containers', 'projects'],
  manifest: ['registry', 'builds', 'projects'],
  proposal: ['proposals'],
  exchange: ['exchanges'],
  message: ['waiting-messages'],
  stack: ['session', 'containers', 'companions', 'projects'],
  session: ['session', 'person-sessions'],
  // Roles say what the pages offer: whoever's are changed sees it at once.
  person: ['people', 'person-sessions', 'person-tokens', 'passkeys', 'session'],
  policy: ['policies'],
};

/** The first parts of the keys that an event's subject (`project/<id>`) touches; none for what no page shows. */
export function affectedKeys(subject: string): readonly string[] {
  const kind = subject.split('/', 1)[0] ?? '';
  return affected[kind] ?? [];
}
