/** What came of building something a second time, in words. */
import type { Comparison, Condition, Difference, Job, Verification } from '../api/types';
import { count } from './format';

const inWhat: Record<Difference['what'], string> = {
  content: 'its content',
  kind: 'what it is',
  mode: 'its mode',
  owner: 'its owner',
  target: 'where it points',
  attributes: 'its extended attributes',
  'only-in-first': 'only in the first build',
  'only-in-second': 'only in the second build',
  encoding: 'how the layer is written',
  configuration: 'in the image’s configuration',
};

/** In what two builds differ, and where: `its content, from line 2`. */
export function inWhatAndWhere({ what, line, offset }: Difference): string {
  if (line != null) return `${inWhat[what]}, from line ${line}`;
  if (offset != null) return `${inWhat[what]}, from byte ${offset}`;
  return inWhat[what];
}

/** What each build has there; nothing where only names or bytes that cannot be shown differ. */
export function bothSides({ what, first, second }: Difference): { first: string; second: string } | null {
  if (first == null && second == null) return null;
  // What a configuration does not have, it has not; of a file, the other side may be what cannot be shown.
  const missing = what === 'configuration' ? 'not set' : 'nothing to show';
  return { first: first ?? missing, second: second ?? missing };
}

/** `3 differences; 12 files of its layers compared`. */
export function extent({ different, compared }: Comparison): string {
  const found = count(different, 'difference');
  return compared > 0 ? `${found}; ${count(compared, 'file')} of its layers compared` : found;
}

/** How many differences were counted and are not listed. A path that differs in two ways is listed twice, counted once. */
export function countUnlisted({ different, differences }: Comparison): number {
  const listed = new Set(differences.map(({ layer, path }) => `${layer ?? 0} ${path}`));
  return different - listed.size;
}

/** Whether what counts was compared with what every build fixes left as it is: because a build without that differed. */
export function leavesFixed(verification: Verification): boolean {
  return !isEqual(verification) || Boolean(verification.depends_on_fixed?.length);
}

/** What stands beside a condition: that every build fixes it, whether it was left as it is at last, and what it said. */
export function remark({ fixed, second, note }: Condition, verification: Verification): string {
  const always =
    fixed &&
    (second != null && leavesFixed(verification)
      ? 'every build fixes it; not changed in the third'
      : 'every build fixes it');
  return [always, note].filter(Boolean).join('; ');
}

/** The names of what surrounded the build otherwise that counts. */
function varied(verification: Verification): string {
  const left = leavesFixed(verification);
  return verification.conditions
    .filter(({ second, fixed }) => second != null && !(fixed && left))
    .map(({ name }) => name)
    .join(', ');
}

export function isEqual({ images }: Verification): boolean {
  return images.every(({ comparison }) => comparison.equal);
}

/** Why a build is proven, or is not, as it was measured. */
export function measured(verification: Verification): string {
  const under = varied(verification);
  const again = `Built again${under && ` with another ${under}`}`;
  if (isEqual(verification)) return `${again}: the same bits came out.`;
  const comparisons = verification.images.map(({ comparison }) => comparison);
  const different = comparisons.reduce((sum, comparison) => sum + comparison.different, 0);
  const first = comparisons.flatMap(({ differences }) => differences)[0];
  const where = first && `, the first in ${first.path}${first.cause ? ` (${first.cause})` : ''}`;
  return `${again}: ${count(different, 'difference')}${where ?? ''}.`;
}

/** Whether what a job came to is what the verification says, so that it need not be said twice. */
export function isToldBy(
  job: Pick<Job, 'state' | 'created_at'>,
  verification: Verification | null | undefined,
): boolean {
  if (!verification || (job.state !== 'succeeded' && job.state !== 'failed')) return false;
  return new Date(verification.at) >= new Date(job.created_at);
}
