/** The picture from source to running containers: what stands where, and which lines lead from what to what. */
import type { Attachment, Build, BuildSummary, ContainerSummary, Lineage } from '../api/types';
import { bytes, count, shortDigest } from './format';
import { buildSign, containerSign, type Sign } from './signs';

/** One thing in the picture. */
export interface PictureNode {
  id: string;
  /** `Source`, `Base`, … */
  kind: string;
  title: string;
  /** Whether the title is a digest or another name that programs use. */
  code: boolean;
  detail?: string | undefined;
  href?: string | undefined;
  sign?: Sign | undefined;
  /** Nothing that exists: a place that is empty, or more than are drawn. */
  faint?: boolean | undefined;
}

/** Columns from left to right, and the lines from one to the next. */
export interface Picture {
  columns: { title: string; nodes: PictureNode[] }[];
  lines: { from: string; to: string }[];
}

/** So many things are drawn below one another. */
const MOST = 6;

/** The picture of one build. */
export function pictureOfBuild(build: Build): Picture {
  const hash = build.build_hash;
  const made: PictureNode[] = [
    {
      id: 'source',
      kind: 'Source',
      title: shortDigest(build.source_digest),
      code: true,
      detail: [build.git, build.clean === false ? 'changed' : null].filter(Boolean).join(', ') || undefined,
      href: registry(build.source_digest),
    },
    {
      id: 'manifest',
      kind: 'Manifest',
      title: shortDigest(build.manifest_digest),
      code: true,
      detail: 'ergon.json',
      href: `/manifests/${encodeURIComponent(build.manifest_digest)}`,
    },
    ...build.bases.map((base) => ({
      id: `base ${base.reference}`,
      kind: 'Base',
      title: base.reference,
      code: true,
      detail: shortDigest(base.digest),
      href: registry(base.digest),
    })),
  ];
  const images = build.images.map((image) => ({
    ...imageNode(image),
    detail: [bytes(image.size), ...evidence(build.attached, image.container)].join(' · '),
  }));
  const came = [
    ...build.containers.map(containerNode),
    ...build.dependents.map((dependent) => ({ ...buildNode(dependent), detail: 'built on it' })),
  ];
  return {
    columns: [
      { title: 'Made of', nodes: made },
      { title: 'Build', nodes: [{ ...buildNode(build), href: undefined }] },
      { title: build.images.length === 1 ? 'Image' : 'Images', nodes: filled(images, 'No image') },
      { title: 'Came of it', nodes: filled(cut(came), 'Runs nowhere') },
    ],
    lines: [
      ...made.map(({ id }) => ({ from: id, to: `build ${hash}` })),
      ...images.map(({ id }) => ({ from: `build ${hash}`, to: id })),
      ...build.containers.flatMap((container) =>
        imagesOf(container, [build]).map((image) => ({ from: image, to: `container ${container.id}` })),
      ),
      ...build.dependents.flatMap((dependent) =>
        images.slice(0, 1).map(({ id }) => ({ from: id, to: `build ${dependent.build_hash}` })),
      ),
    ],
  };
}

const lineageKinds: Record<string, string> = { source: 'Source', commit: 'Commit', base: 'Base', layer: 'Layer' };

/** The picture of what came of a source, a commit, a base or a layer. */
export function pictureOfLineage(kind: string, lineage: Lineage): Picture {
  const shown = lineage.builds.slice(0, MOST);
  const builds = shown.map(buildNode);
  if (lineage.count > shown.length) {
    builds.push(more(lineage.count - shown.length, 'build'));
  }
  const images = new Map<string, PictureNode>();
  for (const image of shown.flatMap((build) => build.images)) {
    const node = imageNode(image);
    if (!images.has(node.id)) images.set(node.id, { ...node, detail: bytes(image.size) });
  }
  const name = /^(?:sha256:)?[0-9a-f]{40,}$/.test(lineage.name) ? shortDigest(lineage.name) : lineage.name;
  return {
    columns: [
      {
        title: 'Made of',
        nodes: [
          { id: 'it', kind: lineageKinds[kind] ?? kind, title: name, code: true, detail: readable(lineage.also[0]) },
        ],
      },
      { title: 'Builds', nodes: filled(builds, 'No build') },
      { title: 'Images', nodes: filled([...images.values()], 'No image') },
      { title: 'Runs', nodes: filled(cut(lineage.containers.map(containerNode)), 'Runs nowhere') },
    ],
    lines: [
      ...builds.map(({ id }) => ({ from: 'it', to: id })),
      ...shown.flatMap((build) =>
        build.images.map((image) => ({ from: `build ${build.build_hash}`, to: `image ${image.image_digest}` })),
      ),
      ...lineage.containers.flatMap((container) =>
        imagesOf(container, shown).map((image) => ({ from: image, to: `container ${container.id}` })),
      ),
    ],
  };
}

/** A line as it is drawn, in parts of a thousand of the width and of the height. */
export interface Stroke {
  key: string;
  from: string;
  to: string;
  path: string;
}

/** Where a node's edges are within its column, in parts of the column's width. */
export const NODE_EDGE = 0.1;

/** The lines between what is drawn. Each column is spread evenly over the height of the tallest. */
export function strokes({ columns, lines }: Picture): Stroke[] {
  const width = 1000 / columns.length;
  const places = new Map<string, { x: number; y: number }>();
  columns.forEach((column, x) => {
    column.nodes.forEach((node, y) => places.set(node.id, { x, y: ((y + 0.5) * 1000) / column.nodes.length }));
  });
  return lines.flatMap(({ from, to }) => {
    const [start, end] = [places.get(from), places.get(to)];
    if (!start || !end) return [];
    const left = Math.round((start.x + 1 - NODE_EDGE) * width);
    const right = Math.round((end.x + NODE_EDGE) * width);
    const middle = Math.round((left + right) / 2);
    const [high, low] = [Math.round(start.y), Math.round(end.y)];
    const path = `M${left} ${high}C${middle} ${high} ${middle} ${low} ${right} ${low}`;
    return [{ key: `${from} → ${to}`, from, to, path }];
  });
}

/** Everything that leads to a node or that it leads to. */
export function related({ lines }: Picture, id: string): Set<string> {
  const found = new Set([id]);
  const walk = (from: 'from' | 'to', to: 'from' | 'to') => {
    const next = [id];
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
      for (const line of lines) {
        if (line[from] !== at || found.has(line[to])) continue;
        found.add(line[to]);
        next.push(line[to]);
      }
    }
  };
  walk('from', 'to');
  walk('to', 'from');
  return found;
}

const registry = (reference: string) => `/registry/${encodeURIComponent(reference)}`;

const buildNode = (build: BuildSummary): PictureNode => ({
  id: `build ${build.build_hash}`,
  kind: build.project_name ?? 'a folder',
  title: shortDigest(build.build_hash),
  code: true,
  detail: build.state === 'succeeded' ? build.reproducibility : build.state,
  href: `/builds/${encodeURIComponent(build.build_hash)}`,
  sign: buildSign(build),
});

const imageNode = (image: Build['images'][number]): PictureNode => ({
  id: `image ${image.image_digest}`,
  kind: image.container,
  title: shortDigest(image.image_digest),
  code: true,
});

const containerNode = (container: ContainerSummary): PictureNode => ({
  id: `container ${container.id}`,
  kind: 'Container',
  title: container.name,
  code: false,
  detail: container.wellness === 'unknown' ? container.state : container.wellness,
  href: `/containers/${encodeURIComponent(container.name)}`,
  sign: containerSign(container),
});

const more = (amount: number, what: string): PictureNode => ({
  id: `more ${what}`,
  kind: '',
  title: count(amount, `more ${what}`),
  code: false,
  faint: true,
});

const filled = (nodes: PictureNode[], nothing: string): PictureNode[] =>
  nodes.length ? nodes : [{ id: nothing, kind: '', title: nothing, code: false, faint: true }];

const cut = (nodes: PictureNode[]): PictureNode[] =>
  nodes.length > MOST ? [...nodes.slice(0, MOST - 1), more(nodes.length - MOST + 1, 'thing')] : nodes;

/** The images that a container may run, by its digest, else any of its build's. */
function imagesOf(container: ContainerSummary, builds: readonly BuildSummary[]): string[] {
  const images = builds.filter((build) => build.build_hash === container.build_hash).flatMap((build) => build.images);
  const own = images.filter((image) => image.image_digest === container.image_digest);
  return (own.length ? own : images.slice(0, 1)).map((image) => `image ${image.image_digest}`);
}

/** `sbom`, `provenance`, `proof`: what is attached to a container's image, each once. */
export function evidence(attached: readonly Attachment[], container: string): string[] {
  const own = attached.filter((each) => each.container === container);
  return ['sbom', 'provenance', 'proof', 'signature'].filter((what) => own.some((each) => each.what === what));
}

const readable = (text: string | undefined) =>
  text && /^(?:sha256:)?[0-9a-f]{40,}$/.test(text) ? shortDigest(text) : text;
