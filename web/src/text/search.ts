/** Finds anything already known by name, digest or words. */
import type { BuildSummary, Companion, ContainerSummary, Project } from '../api/types';
import { shortDigest } from './format';

/** One thing that can be found. */
export interface Entry {
  kind: 'project' | 'container' | 'build' | 'companion';
  title: string;
  detail: string;
  href: string;
  /** Names and digests; a beginning of one is a better hit than a word. */
  names: string[];
  /** Everything else it is known by. */
  words: string;
}

interface Known {
  projects?: readonly Project[] | undefined;
  containers?: readonly ContainerSummary[] | undefined;
  builds?: readonly BuildSummary[] | undefined;
  companions?: readonly Companion[] | undefined;
}

/** Everything known, in one list. */
export function entriesOf({ projects = [], containers = [], builds = [], companions = [] }: Known): Entry[] {
  return [
    ...projects.map(projectEntry),
    ...containers.map(containerEntry),
    ...builds.map(buildEntry),
    ...companions.map(companionEntry),
  ];
}

/** The entries that hold every word of the query, best first. */
export function search(entries: readonly Entry[], query: string, limit = 12): Entry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return entries
    .map((entry, place) => ({ entry, place, score: score(entry, words) }))
    .filter(({ score }) => score > 0)
    .sort((left, right) => right.score - left.score || left.place - right.place)
    .slice(0, limit)
    .map(({ entry }) => entry);
}

/** Whether the query could be a digest or build hash that the registry can look up. */
export function isDigestPrefix(query: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{4,64}$/.test(query.trim());
}

/** 0 where a word is missing. */
function score(entry: Entry, words: readonly string[]): number {
  let total = 0;
  for (const word of words) {
    const best = Math.max(
      wordScore(entry.words.toLowerCase(), word),
      ...entry.names.map((name) => nameScore(name.toLowerCase(), word)),
    );
    if (best === 0) return 0;
    total += best;
  }
  return total;
}

function nameScore(name: string, word: string): number {
  if (name === word) return 8;
  if (name.startsWith(word)) return 6;
  // A digest is known by its beginning only: hex digits are in the middle of all of them.
  if (isDigest(name)) return name.startsWith(`sha256:${word}`) ? 6 : 0;
  return name.includes(word) ? 3 : 0;
}

const wordScore = (words: string, word: string): number => (words.includes(word) ? 1 : 0);

const isDigest = (name: string): boolean => /^(?:sha256:)?[0-9a-f]{32,}$/.test(name);

const given = (...texts: (string | null | undefined)[]): string[] =>
  texts.filter((text): text is string => Boolean(text));

function projectEntry(project: Project): Entry {
  return {
    kind: 'project',
    title: project.name,
    detail: given(project.framework, project.language, project.location).join(' · '),
    href: `/projects/${encodeURIComponent(project.id)}`,
    names: given(project.name, project.manifest_digest),
    words: given(project.framework, project.language, project.location, project.git).join(' '),
  };
}

function containerEntry(container: ContainerSummary): Entry {
  return {
    kind: 'container',
    title: container.name,
    detail: container.sentence,
    href: `/containers/${encodeURIComponent(container.name)}`,
    names: given(container.name, container.id, container.image_digest),
    words: given(container.image, container.state, container.wellness, container.sentence).join(' '),
  };
}

function buildEntry(build: BuildSummary): Entry {
  return {
    kind: 'build',
    title: shortDigest(build.build_hash),
    detail: given(build.project_name, build.state, build.reproducibility).join(' · '),
    href: `/builds/${encodeURIComponent(build.build_hash)}`,
    names: [build.build_hash, ...build.images.flatMap((image) => [image.image_digest, ...image.tags])],
    words: given(build.project_name, build.state, build.reproducibility).join(' '),
  };
}

function companionEntry(companion: Companion): Entry {
  return {
    kind: 'companion',
    title: companion.name,
    detail: companion.sentence,
    href: `/companions/${encodeURIComponent(companion.name)}`,
    names: [companion.name],
    words: [companion.type, companion.health, companion.sentence, ...companion.capabilities].join(' '),
  };
}
