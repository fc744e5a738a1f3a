/** Which sign stands for which state, and what it means in words. */
import type { BuildSummary, Companion, ContainerSummary, Job, JobStep, Proposal, Verification } from '../api/types';
import { measured } from './reproducibility';

/** What a lamp says. Each has its own shape, so that none is told by its colour alone. */
export type Sign = 'good' | 'warn' | 'bad' | 'off' | 'busy';

/** A sign, its word, and why. */
export interface Signal {
  sign: Sign;
  label: string;
  why: string;
}

const jobSigns: Record<string, Sign> = {
  queued: 'off',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'off',
  interrupted: 'warn',
};

export const jobSign = (job: Pick<Job, 'state'>): Sign => jobSigns[job.state] ?? 'off';
export const buildSign = (build: Pick<BuildSummary, 'state'>): Sign => jobSigns[build.state] ?? 'off';

const stepSigns: Record<string, Sign> = { running: 'busy', done: 'good', cached: 'good', failed: 'bad' };

export const stepSign = (step: Pick<JobStep, 'state'>): Sign => stepSigns[step.state] ?? 'off';

const wellnessSigns: Record<string, Sign> = { well: 'good', unwell: 'bad', stopped: 'off', unknown: 'off' };

export const containerSign = (container: Pick<ContainerSummary, 'wellness'>): Sign =>
  wellnessSigns[container.wellness] ?? 'off';

export const companionSign = (companion: Pick<Companion, 'health'>): Sign =>
  companion.health === 'up' ? 'good' : 'warn';

const proposalSigns: Record<string, Sign> = {
  open: 'warn',
  approved: 'busy',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  undone: 'bad',
  escalated: 'bad',
  interrupted: 'warn',
};

export const proposalSign = (proposal: Pick<Proposal, 'state'>): Sign => proposalSigns[proposal.state] ?? 'off';

const severitySigns: Record<string, Sign> = { info: 'off', warning: 'warn', critical: 'bad' };

export const severitySign = (severity: string): Sign => severitySigns[severity] ?? 'off';

/** Whether everything that went into a build was taken by its digest. */
export function pinnedSignal(build: BuildSummary | null | undefined): Signal {
  if (!build) return { sign: 'off', label: 'not built', why: 'Not built yet: nothing is known of what it stands on.' };
  if (!build.pinned) {
    return {
      sign: 'warn',
      label: 'not pinned',
      why: 'Something in the last build was taken by name and may be another thing tomorrow. The build’s page says what, and how to pin it.',
    };
  }
  return {
    sign: 'good',
    label: 'pinned',
    why: 'Everything the last build stands on is fixed by a digest or an exact version.',
  };
}

/** Whether a build was made twice and came out the same; where it is known, as it was measured. */
export function provenSignal(
  build: (BuildSummary & { verification?: Verification | null }) | null | undefined,
): Signal {
  const why = build?.verification && measured(build.verification);
  switch (build?.reproducibility) {
    case 'proven':
      return {
        sign: 'good',
        label: 'proven',
        why: why ?? 'Built a second time under other conditions: the same bits came out.',
      };
    case 'failed':
      return {
        sign: 'bad',
        label: 'not reproducible',
        why: why ?? 'Built a second time under other conditions: other bits came out.',
      };
    case 'unproven':
      return { sign: 'off', label: 'unproven', why: 'Built once. It has not been built a second time to compare.' };
    case 'unpinned':
      return {
        sign: 'off',
        label: 'unproven',
        why: 'A proof means little while something in the build is not pinned.',
      };
    default:
      return { sign: 'off', label: 'unproven', why: 'Not built yet: there is nothing to prove.' };
  }
}

/** Whether all of a project's containers are well, in the words of the one that is worst. */
export function wellSignal(containers: readonly ContainerSummary[]): Signal {
  const unwell = containers.find((container) => container.wellness === 'unwell');
  if (unwell) return { sign: 'bad', label: 'unwell', why: `${unwell.name}: ${unwell.sentence}` };
  const stopped = containers.find((container) => container.wellness === 'stopped');
  if (stopped) return { sign: 'off', label: 'stopped', why: `${stopped.name}: ${stopped.sentence}` };
  const unknown = containers.find((container) => container.wellness !== 'well');
  if (unknown) return { sign: 'off', label: 'not known', why: `${unknown.name}: ${unknown.sentence}` };
  const first = containers[0];
  if (!first) return { sign: 'off', label: 'not running', why: 'It has no container. Run it, or send it to Ergon.' };
  return {
    sign: 'good',
    label: 'well',
    why: containers.length === 1 ? first.sentence : `All ${containers.length} containers are well.`,
  };
}

/** What a build's reproducibility is, as one signal. */
export function reproducibilitySignal(build: BuildSummary): Signal {
  return build.reproducibility === 'unpinned' ? pinnedSignal(build) : provenSignal(build);
}
