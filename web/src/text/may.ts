/**
 * What the pages offer to whom. The stack decides by its policies; this is what those say that come with it, so that
 * nobody is shown buttons which only lead to a refusal.
 */

/** The roles that come with Ergon, from the one that may least to the one that may most. */
export const roles = ['viewer', 'developer', 'operator', 'owner'] as const;

type Role = (typeof roles)[number];

/** The least role that may do it. What every viewer may is not listed. */
const least = {
  AddProject: 'developer',
  AddSolution: 'developer',
  CancelJob: 'developer',
  HandOffProject: 'developer',
  ReadMessages: 'developer',
  RemoveSolution: 'developer',
  RestartContainer: 'developer',
  SaveDockerfile: 'developer',
  SendToAnybody: 'developer',
  VerifyBuild: 'developer',
  ApproveProposal: 'operator',
  DropMessage: 'operator',
  LaunchCompanion: 'operator',
  ListPolicies: 'operator',
  ReadAuditLog: 'operator',
  RemoveContainer: 'operator',
  RemoveProject: 'operator',
  RetryMessage: 'operator',
  ChangePolicy: 'owner',
  ListPeople: 'owner',
  RunFolder: 'owner',
  UseFolder: 'owner',
} as const satisfies Record<string, Role>;

export type Deed = keyof typeof least;

/** Whether any of these roles may. What a role of the stack's own policies may is not known here: it is offered. */
export function may(given: readonly string[], deed: Deed): boolean {
  const needed = roles.indexOf(least[deed]);
  return given.some((role) => {
    const rank = (roles as readonly string[]).indexOf(role);
    return rank === -1 || rank >= needed;
  });
}
