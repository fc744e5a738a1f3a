import { describe, expect, it } from 'vitest';

import type { Build, BuildSummary, ContainerSummary } from '../api/types';
import { pictureOfBuild, pictureOfLineage, related, strokes } from './picture';

const digest = (start: string) => `sha256:${start.padEnd(64, '0')}`;

const summary = (hash: string): BuildSummary => ({
  build_hash: hash,
  project_id: 'p',
  project_name: 'shop',
  state: 'succeeded',
  reproducibility: 'proven',
  pinned: true,
  started_at: '2026-01-02T14:03:00Z',
  cached: false,
  images: [{ container: 'web', image_digest: digest(`1${hash}`), tags: [], size: 1000 }],
});

const container = (id: string, hash: string): ContainerSummary => ({
  id,
  name: `web-${id}`,
  state: 'running',
  wellness: 'well',
  sentence: 'I am well.',
  companion: 'web-ci',
  build_hash: hash,
  image_digest: digest(`1${hash}`),
  ports: [],
});

const build = (parts: Partial<Build> = {}): Build => ({
  ...summary('aa'),
  manifest_digest: digest('b'),
  source_digest: digest('c'),
  platform: 'linux/amd64',
  epoch: 0,
  builder: 'encoding 1',
  bases: [{ reference: 'python:3.11', digest: digest('d') }],
  unpinned: [],
  containers: [],
  attached: [],
  same_source: [],
  dependents: [],
  manifest: {},
  ...parts,
});

describe('the picture of a build', () => {
  it('leads from what it was made of to what runs it', () => {
    const picture = pictureOfBuild(build({ containers: [container('1', 'aa')] }));
    const titles = picture.columns.map(({ nodes }) => nodes.map(({ title }) => title));
    expect(titles).toEqual([['c00000000000', 'b00000000000', 'python:3.11'], ['aa'], ['1aa000000000'], ['web-1']]);
    expect(picture.lines).toHaveLength(5);
    expect(strokes(picture)).toHaveLength(5);
  });

  it('says where nothing runs, and draws no line there', () => {
    const picture = pictureOfBuild(build());
    expect(picture.columns.at(-1)?.nodes).toMatchObject([{ title: 'Runs nowhere', faint: true }]);
    expect(strokes(picture)).toHaveLength(4);
  });

  it('says what is attached to an image, each kind once', () => {
    const attach = (what: string) => ({ container: 'web', what, digest: digest('e'), format: what });
    const picture = pictureOfBuild(build({ attached: ['proof', 'sbom', 'sbom', 'manifest'].map(attach) }));
    expect(picture.columns[2]?.nodes[0]?.detail).toBe('1.0 kB · sbom · proof');
  });

  it('shows what hangs together with one thing, in both directions', () => {
    const picture = pictureOfBuild(build({ containers: [container('1', 'aa'), container('2', 'aa')] }));
    expect([...related(picture, 'container 1')]).toEqual([
      'container 1',
      `image ${digest('1aa')}`,
      'build aa',
      'source',
      'manifest',
      'base python:3.11',
    ]);
  });
});

describe('the picture of what builds were made of', () => {
  it('draws a few builds, says how many more there are, and an image once', () => {
    const builds = Array.from({ length: 9 }, (_, place) => ({ ...summary(`f${place}`), images: summary('f').images }));
    const lineage = { name: digest('d'), also: [], builds, count: 30, containers: [container('1', 'f0')] };
    const picture = pictureOfLineage('base', lineage);
    expect(picture.columns.map(({ nodes }) => nodes.length)).toEqual([1, 7, 1, 1]);
    expect(picture.columns[1]?.nodes.at(-1)?.title).toBe('24 more builds');
    expect(picture.lines.filter(({ from }) => from === 'it')).toHaveLength(7);
  });
});
